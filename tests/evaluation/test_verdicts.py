"""Verdict files of a run, read strictly and turned into scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pefomed.errors import DataError
from pefomed.evaluation.groups import groups_of
from pefomed.evaluation.score import Questions, numbered
from pefomed.evaluation.verdict_scores import verdict_scores
from pefomed.evaluation.verdicts import labels_by_sample, read_raters
from pefomed.files import jsonl
from pefomed.metrics.exact_match import exact_match_vqa
from pefomed.schema import Sample, Score, Verdict

# Exact match calls the answers to v0 and v1 right, to v2 .. v5 wrong.
VQA = [Sample(id=f"v{i}", images=(f"{i // 2}.png",), task="vqa", question="?", reference="yes",
              meta={"organ": "heart" if i < 3 else "lung"}) for i in range(6)]  # fmt: skip
ANSWERS = ["yes", "Yes.", "no", "maybe", "sure", "no"]
REPORTS = [Sample(id=f"r{i}", images=(f"r{i}.png",), task="report", reference="clear") for i in range(4)]


def rater(run: Path, name: str, labels: list[tuple[str, int, int | None]], kind: str = "llm-judge") -> Path:
    path = run / "verdicts" / f"{name}.jsonl"
    jsonl.append(path, [Verdict(sample_id=i, rater=name, run=run_, label=label) for i, run_, label in labels])
    path.with_name(f"{name}.card.json").write_text(json.dumps({"kind": kind}))
    return path


def scored(run: Path, samples: list[Sample], answers: list[str]) -> dict[tuple[str, str], Score]:
    questions = Questions(
        dataset="d", split="test", references=[s.reference for s in samples],
        clusters=numbered([s.images for s in samples]), groups=groups_of([s.meta for s in samples]),
    )  # fmt: skip
    right = np.array([exact_match_vqa(s.reference, text) for s, text in zip(samples, answers, strict=True)])
    scores = verdict_scores(questions, samples, right, read_raters(run, samples))
    assert {score.system for score in scores} <= {"model"}
    return {(score.metric, score.group): score for score in scores}


def test_a_judge_is_the_mean_over_its_runs_and_failed_verdicts_are_no_zero(tmp_path: Path) -> None:
    first = [("v0", 0, 1), ("v1", 0, 1), ("v2", 0, 0), ("v3", 0, 0), ("v4", 0, 1), ("v5", 0, None)]
    second = [("v0", 1, 1), ("v1", 1, 0), ("v2", 1, 0), ("v3", 1, 0), ("v4", 1, 1), ("v5", 1, None)]
    rater(tmp_path, "gpt", first + second)
    scores = scored(tmp_path, VQA, ANSWERS)
    score = scores["judge_accuracy", "overall"]
    assert score.value == pytest.approx((3 / 5 + 2 / 5) / 2)
    assert score.n == 5
    # sd of 0.6 and 0.4 with n - 1: 0.1414
    assert "2 runs; sd 0.1414 over them; 1 unscored" in score.implementation
    assert score.low is not None
    assert scores["judge_accuracy", "organ=heart"].value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert scores["judge_accuracy", "organ=lung"].n == 2


def test_two_judges_have_a_row_each_and_the_offline_one_its_own_name(tmp_path: Path) -> None:
    rater(tmp_path, "a", [("v0", 0, 1)])
    rater(tmp_path, "b", [("v0", 0, 0)])
    rater(tmp_path, "rules", [("v0", 0, 1)], "offline-judge")
    scores = scored(tmp_path, VQA, ANSWERS)
    assert {metric: score.value for (metric, group), score in scores.items() if group == "overall"} == {
        "judge_accuracy:a": 1.0, "judge_accuracy:b": 0.0, "offline_judge_accuracy": 1.0,
    }  # fmt: skip
    assert "no language model" in scores["offline_judge_accuracy", "overall"].implementation
    assert "1 of 6 answers shown" in scores["judge_accuracy:a", "overall"].implementation


def test_people_are_weighed_by_what_exact_match_called_right(tmp_path: Path) -> None:
    # 2 of 6 answers are called right. p: right 1/1, wrong 1/2; q: right 0/1, wrong 0/1.
    rater(tmp_path, "p", [("v0", 0, 1), ("v2", 0, 0), ("v3", 0, 1)], "human")
    rater(tmp_path, "q", [("v1", 0, 0), ("v4", 0, 0)], "human")
    score = scored(tmp_path, VQA, ANSWERS)["human_accuracy", "overall"]
    p, q = 2 / 6 * 1 + 4 / 6 * 1 / 2, 0.0
    assert score.value == pytest.approx((p + q) / 2)
    assert score.n == 5
    assert "2 human raters; sd 0.4714 over them" in score.implementation
    assert "weighed by exact_match_vqa" in score.implementation


def test_a_language_model_in_a_rating_session_has_a_row_of_its_own(tmp_path: Path) -> None:
    shown = [("v0", 0, 1), ("v2", 0, 0), ("v3", 0, 1)]
    rater(tmp_path, "p", shown, "human")
    rater(tmp_path, "m", shown, "model-rater")
    scores = scored(tmp_path, VQA, ANSWERS)
    human, model = scores["human_accuracy", "overall"], scores["model_rater_accuracy", "overall"]
    assert model.value == human.value == pytest.approx(2 / 6 * 1 + 4 / 6 * 1 / 2)  # weighed the same way
    assert "1 human rater;" in human.implementation
    assert "m (language model in a rating session)" in model.implementation


def test_equal_labels_of_a_sample_do_not_make_an_interval_narrow(tmp_path: Path) -> None:
    # 40 answers, half of them called right; 5 of each half shown, all right ones said 1, all wrong ones 0.
    samples = [
        Sample(id=f"s{i}", images=(f"{i}.png",), task="vqa", question="?", reference="yes") for i in range(40)
    ]
    answers = ["yes" if i < 20 else "no" for i in range(40)]
    shown = [(f"s{i}", 0, int(i < 20)) for i in (*range(5), *range(20, 25))]
    rater(tmp_path, "p", shown, "human")
    score = scored(tmp_path, samples, answers)["human_accuracy", "overall"]
    assert score.value == pytest.approx(0.5)
    # Five equal labels leave 1 - 0.025^(1/5) = 0.5218 of their kind open, half of all answers: 0.2609.
    assert score.low is not None
    assert score.high is not None
    assert score.low <= 0.5 - 0.2609
    assert score.high >= 0.5 + 0.2609
    assert "Clopper-Pearson" in score.interval
    # All shown: nothing is open, and the interval stands as it is.
    everyone = tmp_path / "everyone"
    rater(everyone, "p", [(f"s{i}", 0, int(i < 20)) for i in range(40)], "human")
    whole = scored(everyone, samples, answers)["human_accuracy", "overall"]
    assert "Clopper-Pearson" not in whole.interval
    assert whole.low is not None
    assert whole.low > score.low


def test_answers_that_nobody_was_shown_are_no_images_of_the_interval(tmp_path: Path) -> None:
    # 100 answers, all called wrong; of 4 shown 2 are right. The 96 others say nothing, so t is that of 3.
    samples = [
        Sample(id=f"s{i}", images=(f"{i}.png",), task="vqa", question="?", reference="yes")
        for i in range(100)
    ]
    rater(tmp_path, "p", [(f"s{i}", 0, i % 2) for i in range(4)], "human")
    score = scored(tmp_path, samples, ["no"] * 100)["human_accuracy", "overall"]
    assert (score.value, score.n) == (0.5, 4)
    assert score.low is not None
    # Without each of the four 1/3 or 2/3: variance 99/100 * 4/36, worth 1/4 / 0.11 = 2.27 (1.96 / 3.18)^2.
    worth = 0.25 / (99 / 100 * 4 / 36) * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 3)) ** 2
    assert score.low == pytest.approx(stats.beta.ppf(0.025, worth / 2, worth / 2 + 1))


def test_as_in_the_paper_what_was_right_counts_as_right_if_nobody_was_shown_it(tmp_path: Path) -> None:
    rater(tmp_path, "p", [("v2", 0, 1), ("v3", 0, 0), ("v4", 0, 0), ("v5", 0, 0)], "human")
    score = scored(tmp_path, VQA, ANSWERS)["human_accuracy", "overall"]
    assert score.value == pytest.approx(3 / 6)
    assert "what exact_match_vqa called right counts as right" in score.implementation


def test_no_figure_from_right_answers_alone(tmp_path: Path) -> None:
    rater(tmp_path, "p", [("v0", 0, 1)], "human")
    assert ("human_accuracy", "overall") not in scored(tmp_path, VQA, ANSWERS)


def test_reports_become_wasm(tmp_path: Path) -> None:
    rater(tmp_path, "gpt", [("r0", 0, 4), ("r1", 0, 3), ("r2", 0, 0), ("r3", 0, None)])
    rater(tmp_path, "p", [("r0", 0, 2), ("r1", 0, 2)], "human")
    rater(tmp_path, "q", [("r1", 0, 4), ("r3", 0, 4)], "human")
    scores = scored(tmp_path, REPORTS, ["clear"] * 4)
    assert scores["wasm_judge", "overall"].value == pytest.approx(7 / 3)
    assert scores["wasm_judge", "overall"].n == 3
    assert scores["wasm_human", "overall"].value == pytest.approx((2 + 4) / 2)
    assert {metric for metric, _ in scores} == {"wasm_judge", "wasm_human"}


def test_the_interval_of_a_wasm_is_on_its_own_scale(tmp_path: Path) -> None:
    rater(tmp_path, "gpt", [("r0", 0, 4), ("r1", 0, 3), ("r2", 0, 2), ("r3", 0, 4)])
    score = scored(tmp_path, REPORTS, ["clear"] * 4)["wasm_judge", "overall"]
    # Variance of the mean (0.5625 + 0.0625 + 1.5625 + 0.5625) / 4 / 3 = 0.2292: 0.4787, and t of 3 is 3.18.
    assert score.value == pytest.approx(13 / 4)
    assert score.low is not None
    assert score.high is not None
    assert 0.5 < score.low < 3.25 - 3.18 * 0.4787
    assert 3.9 < score.high <= 4


def test_the_interval_of_a_judge_that_ran_once_is_the_plain_bootstraps(tmp_path: Path) -> None:
    samples = [
        Sample(id=f"s{i}", images=(f"{i}",), task="vqa", question="?", reference="a") for i in range(400)
    ]
    rater(tmp_path, "j", [(sample.id, 0, int(i % 4 == 0)) for i, sample in enumerate(samples)])
    score = scored(tmp_path, samples, ["a"] * 400)["judge_accuracy", "overall"]
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert (score.low, score.high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.008)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([("x9", 0, 1), ("v0", 0, 1)], r"j\.jsonl: 1 verdicts are about no sample.*\n.*x9"),
        ([("v0", 0, 1), ("v0", 1, 1), ("v0", 0, 0)], r"j\.jsonl: 1 .*more than once.*\n.*v0 \(run 0\)"),
        ([("v0", 0, 2)], r"j\.jsonl: 1 .*off the scale\n.*v0 \(vqa: 2\)"),
        ([("r1", 0, 5)], r"off the scale\n.*r1 \(report: 5\)"),
        ([("r1", 0, -1)], r"off the scale\n.*r1 \(report: -1\)"),
    ],
)
def test_what_is_refused(tmp_path: Path, labels: list[tuple[str, int, int | None]], message: str) -> None:
    rater(tmp_path, "j", labels)
    with pytest.raises(DataError, match=message):
        read_raters(tmp_path, VQA + REPORTS)


def test_a_file_of_two_raters_and_a_damaged_card(tmp_path: Path) -> None:
    path = rater(tmp_path, "j", [("v0", 0, 1)])
    card = path.with_name("j.card.json")
    card.write_text('{"kind": "oracle"}')
    with pytest.raises(DataError, match=r"j\.card\.json: unknown kind.*\n.*oracle"):
        read_raters(tmp_path, VQA)
    card.write_text("{")
    with pytest.raises(DataError, match=r"j\.card\.json is damaged"):
        read_raters(tmp_path, VQA)
    jsonl.append(path, [Verdict(sample_id="v1", rater="k", label=1)])
    with pytest.raises(DataError, match=r"several raters\n.*j, k"):
        read_raters(tmp_path, VQA)


def test_a_cut_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    path = rater(tmp_path, "j", [("v0", 0, 1), ("v1", 0, 1)])
    path.write_bytes(path.read_bytes()[:-5])
    said: list[str] = []
    [found] = read_raters(tmp_path, VQA, said)
    assert [verdict.sample_id for verdict in found.verdicts] == ["v0"]
    assert "line 2 is cut" in said[0]


def test_majority_and_mean_of_runs(tmp_path: Path) -> None:
    rater(
        tmp_path, "j", [("v0", 0, 1), ("v0", 1, 0), ("v0", 2, 1), ("v1", 0, 1), ("v1", 1, 0), ("v2", 0, None)]
    )
    [found] = read_raters(tmp_path, VQA)
    assert labels_by_sample(found, majority=True) == {"v0": 1.0, "v1": 0.5}
    assert labels_by_sample(found, majority=False) == {"v0": pytest.approx(2 / 3), "v1": 0.5}
