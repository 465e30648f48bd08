from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pefomed.agreement import Agreement, agreement_of, write_agreement
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.schema import Prediction, Sample, Verdict

# question, reference, answer: exact match has q1, q2 and q5 right.
QUESTIONS = [
    ("q1", "yes", "yes"), ("q2", "no", "no"), ("q3", "x-ray", "chest film"),
    ("q4", "left", "right"), ("q5", "liver", "liver"), ("q6", "both", "bilateral"),
]  # fmt: skip


def write_run(folder: Path, reports: int = 0) -> Path:
    samples = [
        Sample(id=name, images=(f"{name}.png",), task="vqa", question="?", reference=reference)
        for name, reference, _ in QUESTIONS
    ]
    answers = {name: answer for name, _, answer in QUESTIONS}
    for number in range(reports):
        name = f"r{number}"
        text = " ".join(["the heart is normal", "no effusion", "lungs are clear"][: 1 + number % 3])
        samples.append(
            Sample(
                id=name, images=(f"{name}.png",), task="report", reference="the heart is normal no effusion"
            )
        )
        answers[name] = text
    predictions = [
        Prediction(sample_id=name, text=text, tokens=1, finish="stop", generation="greedy")
        for name, text in answers.items()
    ]
    jsonl.append(folder / "samples" / "rad-test.jsonl", samples)
    jsonl.append(folder / "predictions" / "rad-test.jsonl", predictions)
    return folder


def write_rater(folder: Path, name: str, kind: str, labels: Mapping[int, Mapping[str, int | None]]) -> None:
    verdicts = [
        Verdict(sample_id=sample_id, rater=name, run=run, label=label)
        for run, given in labels.items()
        for sample_id, label in given.items()
    ]
    jsonl.append(folder / "verdicts" / f"{name}.jsonl", verdicts)
    card = {"kind": kind, "title": name.upper()}
    (folder / "verdicts" / f"{name}.card.json").write_text(json.dumps(card))


def labelled(labels: str, prefix: str = "q") -> dict[str, int | None]:
    """`11-0` labels q1, q2 and q4; `x` is a verdict without a label."""
    first = 1 if prefix == "q" else 0
    return {
        f"{prefix}{place}": None if label == "x" else int(label)
        for place, label in enumerate(labels, first)
        if label != "-"
    }


def one(found: Sequence[Agreement], between: str, coefficient: str, first: str = "") -> Agreement:
    (match,) = [
        row
        for row in found
        if (row.between, row.coefficient) == (between, coefficient) and first in ("", row.one)
    ]
    return match


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "run")
    # Three people; the majority of q1..q6 is 1 1 1 0 1 1, q6 has one label only.
    write_rater(folder, "ann", "human", {0: labelled("11101-")})
    write_rater(folder, "bob", "human", {0: labelled("111011")})
    write_rater(folder, "cid", "human", {0: labelled("10011-")})
    # Two runs that flip on q3; q6 failed once.
    write_rater(folder, "gpt", "llm-judge", {0: labelled("11101x"), 1: labelled("110011")})
    return folder


def test_judge_against_humans(run: Path) -> None:
    found = agreement_of(run, draws=200).agreement
    # Joint labels: judge 1 1 tie 0 1 1, people 1 1 1 0 1 1: five common items, all alike.
    same = one(found, "judge-human", "equal_share")
    assert (same.value, same.n, same.one, same.other) == (1.0, 5, "GPT", "3 human raters")
    assert "tied items left out: 1 by GPT" in same.note
    # Means: judge 1 1 .5 0 1 1, people 1 2/3 2/3 1/3 1 1: (0 + 1/3 - 1/6 - 1/3 + 0 + 0) / 6.
    bias = one(found, "judge-human", "bias")
    assert (bias.value, bias.n) == (pytest.approx(-1 / 36), 6)
    assert bias.raters == 5


def test_a_metric_against_humans(run: Path) -> None:
    found = agreement_of(run, draws=200).agreement
    # Exact match 1 1 0 0 1 0 against 1 1 1 0 1 1: four of six alike; kappa: chance is
    # 3/6 * 5/6 + 3/6 * 1/6 = 1/2, so (4/6 - 1/2) / (1/2) = 1/3.
    assert one(found, "metric-human", "equal_share", "exact_match").value == pytest.approx(4 / 6)
    assert one(found, "metric-human", "cohen_kappa", "exact_match").value == pytest.approx(1 / 3)


def test_within_raters_and_runs(run: Path) -> None:
    found = agreement_of(run, draws=200).agreement
    # All three people labelled q1..q5: q1 and q5 alike, q2, q3 and q4 not.
    assert one(found, "human-human", "flip_share").value == pytest.approx(3 / 5)
    # The runs have q1..q5 twice, and differ on q3.
    assert one(found, "run-run", "flip_share").value == pytest.approx(1 / 5)
    # On q1..q5 the people say 4/5, 4/5 and 3/5, the runs 4/5 and 3/5.
    human, judge = (
        one(found, "spread", "sd_of_means", "3 human raters"),
        one(found, "spread", "sd_of_means", "GPT"),
    )
    assert human.value == pytest.approx((1 / 75) ** 0.5)
    assert judge.value == pytest.approx((1 / 50) ** 0.5)
    difference = one(found, "spread-difference", "sd_difference")
    assert difference.value == pytest.approx((1 / 75) ** 0.5 - (1 / 50) ** 0.5)
    assert difference.n == 5


def test_who_labelled_what(run: Path) -> None:
    rated = {row.rater: row for row in agreement_of(run, draws=0).rated}
    judge = rated["gpt"]
    assert (judge.runs, judge.items, judge.scored, judge.unscored) == (2, 6, 11, 1)
    assert judge.means == pytest.approx((4 / 5, 4 / 6))
    assert rated["ann"].items == 5


def test_levels_are_counted_and_compared(tmp_path: Path) -> None:
    folder = write_run(tmp_path, reports=6)
    write_rater(folder, "gpt", "llm-judge", {0: labelled("433421", "r"), 1: labelled("434421", "r")})
    write_rater(folder, "ann", "human", {0: labelled("322310", "r")})
    write_rater(folder, "bob", "human", {0: labelled("332311", "r")})
    found = agreement_of(folder, draws=200)
    judge, human = found.levels
    # Per run: one 1, one 2, and of 3 and 4 two and two, then one and three.
    assert (judge.title, judge.counts, judge.n) == ("GPT", (0.0, 1.0, 1.0, 1.5, 2.5), 6)
    assert judge.wasm == pytest.approx(17.5 / 6)
    assert (human.counts, human.wasm) == ((0.5, 1.5, 1.5, 2.5, 0.0), pytest.approx(2.0))
    assert one(found.agreement, "judge-human", "bias").value == pytest.approx(17.5 / 6 - 2.0)
    assert one(found.agreement, "run-run", "krippendorff_ordinal").value is not None
    assert one(found.agreement, "metric-human", "spearman", "rouge_l").n == 6
    assert {row.scale for row in found.agreement} == {"level"}


def test_one_run_and_no_humans_say_what_is_missing(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    write_rater(folder, "offline", "offline-judge", {0: labelled("111011")})
    found = agreement_of(folder, draws=0).agreement
    assert {row.between for row in found} == {"metric-judge", "run-run", "spread"}
    spread = one(found, "spread", "sd_of_means")
    assert (spread.value, spread.note) == (None, "one rater or run only: no spread")


def test_the_file_is_what_was_found_and_goes_with_the_verdicts(run: Path) -> None:
    found = write_agreement(run, draws=50)
    path = run / "agreement.json"
    assert type(found).model_validate_json(path.read_text()) == found
    assert "NaN" not in path.read_text()
    for verdicts in (run / "verdicts").iterdir():
        verdicts.unlink()
    assert not write_agreement(run).rated
    assert not path.exists()


def test_a_run_without_verdicts_has_no_agreement(tmp_path: Path) -> None:
    assert not agreement_of(write_run(tmp_path)).agreement
    assert not (tmp_path / "agreement.json").exists()


@pytest.mark.parametrize(
    ("labels", "what"), [({"nobody": 1}, "nobody"), ({"q1": 3}, "q1")], ids=["unknown", "off the scale"]
)
def test_verdicts_that_do_not_fit_are_an_error(run: Path, labels: dict[str, int | None], what: str) -> None:
    write_rater(run, "dan", "human", {0: labels})
    with pytest.raises(DataError, match=what):
        agreement_of(run)
