"""Paired tests of two runs."""

from pathlib import Path

import pytest

from pefomed.errors import RunError
from pefomed.evaluation.compare import PairedDifference, compare_runs
from pefomed.files import jsonl
from pefomed.schema import Box, Prediction, Sample, Verdict

SAMPLES = [
    *(Sample(id=f"v{i}", images=(f"{i // 2}",), task="vqa", question="?", reference="left lung")
      for i in range(8)),
    *(Sample(id=f"r{i}", images=(f"r{i}",), task="report", reference=f"The heart is normal. {i} nodules.")
      for i in range(4)),
]  # fmt: skip


def make(run: Path, answers: dict[str, str], samples: list[Sample] = SAMPLES) -> Path:
    run.mkdir()
    (run / "outside.json").write_text("{}")
    jsonl.append(run / "samples" / "d-test.jsonl", samples)
    made = [
        Prediction(sample_id=s.id, text=answers.get(s.id, "?"), tokens=1, finish="stop", generation="g")
        for s in reversed(samples)
    ]
    jsonl.append(run / "predictions" / "d-test.jsonl", made)
    return run


def test_two_runs(tmp_path: Path) -> None:
    a = make(tmp_path / "a", {"v0": "left lung", "v1": "lung", "r0": SAMPLES[8].reference})
    b = make(tmp_path / "b", {f"v{i}": "Left  lung" for i in range(1, 8)} | {"r1": SAMPLES[9].reference})
    for run, label in ((a, 0), (b, 1)):
        told = [Verdict(sample_id=s.id, rater="j", run=n, label=label) for s in SAMPLES[:6] for n in (0, 1)]
        jsonl.append(run / "verdicts" / "j.jsonl", told)
    found: dict[str, PairedDifference] = {difference.metric: difference for difference in compare_runs(a, b)}
    exact = found["exact_match"]
    assert (exact.a, exact.b, exact.difference, exact.n) == (1 / 8, 7 / 8, 6 / 8, 8)
    # The first image has one question better and one worse, the three others two better each: 2 / 2^3.
    assert (exact.p, exact.test) == (0.25, "exact sign flips by image, 3 images")
    assert exact.mcnemar == 0.0703125  # by question, 1 against 7: 2 * (1 + 8) / 2^8
    assert exact.better == tuple(f"v{i}" for i in range(1, 8))
    assert exact.worse == ("v0",)
    assert found["token_recall"].a == pytest.approx(1.5 / 8)
    # -1 and +1/2 in the first image, +2 in each of the others: 5.5 in all, which 4 of 16 ways reach.
    assert (found["token_recall"].p, found["token_recall"].mcnemar) == (0.25, None)
    assert found["cider"].n == 4
    assert found["cider"].a == pytest.approx(found["cider"].b, abs=0.5)
    assert found["accuracy:j"].difference == 1.0
    assert found["accuracy:j"].n == 6
    assert found["accuracy:j"].p == 2 / 2**3
    assert found["accuracy:j"].mcnemar == 2 / 2**6
    same = {difference.metric: difference for difference in compare_runs(a, a)}
    assert all(difference.difference == 0 and difference.p == 1 for difference in same.values())
    assert set(same) == set(found)


def test_other_samples_are_named(tmp_path: Path) -> None:
    changed = [SAMPLES[0].model_copy(update={"reference": "right"}), *SAMPLES[1:-1]]
    other = [*changed, SAMPLES[-1].model_copy(update={"id": "new"})]
    a, b = make(tmp_path / "a", {}), make(tmp_path / "b", {}, other)
    with pytest.raises(RunError, match=r"only in .*/a: r3; 1 only in .*/b: new; 1 different: v0"):
        compare_runs(a, b)


def test_nothing_in_common(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a", {}), make(tmp_path / "b", {})
    (b / "samples" / "d-test.jsonl").rename(b / "samples" / "e-test.jsonl")
    with pytest.raises(RunError, match=r"no data set in common\n.*d test and e test"):
        compare_runs(a, b)


LEFT, RIGHT, NONE = Box(x0=0, y0=0, x1=0.3, y1=1), Box(x0=0.7, y0=0, x1=1, y1=1), None
ON_LEFT, ON_RIGHT = "{<0><0><30><100>}", "{<70><0><100><100>}"


def test_left_and_right_mistaken_are_compared(tmp_path: Path) -> None:
    phrases = [("left lung", LEFT), ("right lung", RIGHT), ("mass", LEFT), ("cyst", LEFT), ("clip", NONE)]
    samples = [
        Sample(id=f"p{i}", images=(f"{i}",), task="refer", question=phrase, size=(100, 100),
               boxes=(box,) if box else ())
        for i, (phrase, box) in enumerate(phrases)
    ]  # fmt: skip
    # a mistakes the first three, b none; a gives a box to what is not there.
    a = make(
        tmp_path / "a", {"p0": ON_RIGHT, "p1": ON_LEFT, "p2": ON_RIGHT, "p3": ON_LEFT, "p4": ON_LEFT}, samples
    )
    b = make(
        tmp_path / "b", {"p0": ON_LEFT, "p1": ON_RIGHT, "p2": ON_LEFT, "p3": ON_LEFT, "p4": "{}"}, samples
    )
    found = {(one.metric, one.group): one for one in compare_runs(a, b)}
    sides = found["side_mistake_rate", "overall"]
    assert (sides.n, sides.a, sides.b) == (4, 0.75, 0.0)
    # Three images changed, all the same way: 2 of 2^3 ways are as far apart; McNemar, 3 against 0, as well.
    assert (sides.p, sides.mcnemar) == (0.25, 0.25)
    assert (sides.better, sides.worse) == (("p0", "p1", "p2"), ())
    named = found["side_mistake_rate_named", "overall"]
    assert (named.n, named.a, named.b, named.p) == (2, 1.0, 0.0, 0.5)
    assert (found["n_acc", "overall"].n, found["n_acc", "overall"].b) == (1, 1.0)
    assert (found["t_acc", "overall"].n, found["t_acc", "overall"].difference) == (4, 0.0)
    # What is of phrases with boxes alone has no such group beside it.
    assert {metric for metric, group in found if group == "boxes=any"} >= {"iou", "dice", "pointing"}
    assert not {metric for metric, group in found if group == "boxes=any"} & {
        "side_mistake_rate",
        "t_acc",
        "n_acc",
    }


def test_closed_accuracy_is_compared_over_closed_questions(tmp_path: Path) -> None:
    samples = [
        Sample(id=f"q{i}", images=(f"{i}",), task="vqa", question="?", reference="yes",
               meta={"answer_type": "CLOSED" if i < 3 else "OPEN"})
        for i in range(5)
    ]  # fmt: skip
    a = make(tmp_path / "a", {"q0": "no"}, samples)
    b = make(tmp_path / "b", {f"q{i}": "Yes, there is." for i in range(5)}, samples)
    [closed] = [one for one in compare_runs(a, b) if one.metric == "closed_accuracy"]
    assert (closed.group, closed.n, closed.a, closed.b) == ("answer_type=CLOSED", 3, 0.0, 1.0)
    assert closed.better == ("q0", "q1", "q2")
