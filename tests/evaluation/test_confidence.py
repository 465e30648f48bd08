"""How sure answers are, as `evaluate` scores it."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from tests.evaluation.sure_run import drawn, predictions_of, samples_of, write_run

from pefomed.evaluation import evaluate_run
from pefomed.evaluation.confidence import FEWEST
from pefomed.files import jsonl
from pefomed.schema import ItemScore, Score


def by_name(scores: list[Score]) -> dict[tuple[str, str], Score]:
    return {(score.metric, score.group): score for score in scores if score.system == "model"}


def test_the_scores_are_those_of_the_answers(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    found = by_name(evaluate_run(run.path))
    probabilities, right = drawn(samples_of("test"))
    assert found["probability", "overall"].value == pytest.approx(np.mean(probabilities))
    brier = found["brier:probability", "overall"]
    assert brier.value == pytest.approx(brier_score_loss(right, probabilities))
    assert "right by exact_match" in brier.implementation
    assert found["auroc:probability", "overall"].value == pytest.approx(roc_auc_score(right, probabilities))
    closed = [place for place in range(120) if place % 3 != 2]
    assert found["auroc:probability", "answer_type=CLOSED"].value == pytest.approx(
        roc_auc_score(np.array(right)[closed], np.array(probabilities)[closed])
    )
    # 40 open questions are too few.
    assert FEWEST > 40
    assert ("auroc:probability", "answer_type=OPEN") not in found
    assert ("probability", "answer_type=OPEN") in found
    for name in ("ece", "ece_mass", "brier", "aurc", "aurc_excess", "auroc"):
        score = found[f"{name}:probability", "overall"]
        assert score.interval.startswith("95 % by image, jackknife")
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
    items = [
        one
        for one in jsonl.read(run.item_scores_file(("rad", "test")), ItemScore)
        if one.metric == "probability"
    ]
    assert [one.value for one in items] == pytest.approx(probabilities)


def test_without_probabilities_nothing_is_new(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    known = predictions_of(samples_of("test"), *drawn(samples_of("test")))
    run.predictions_file(("rad", "test")).unlink()
    jsonl.append(
        run.predictions_file(("rad", "test")), [one.model_copy(update={"logprob": None}) for one in known]
    )
    metrics = {score.metric for score in evaluate_run(run.path)}
    assert "exact_match" in metrics
    assert not any("probability" in metric for metric in metrics)


def test_some_answers_without_probability_are_left_out(tmp_path: Path) -> None:
    """Answers of an older version beside new ones."""
    run = write_run(tmp_path / "run")
    samples = samples_of("test")
    known = predictions_of(samples, *drawn(samples))
    known[:30] = [one.model_copy(update={"logprob": None}) for one in known[:30]]
    run.predictions_file(("rad", "test")).unlink()
    jsonl.append(run.predictions_file(("rad", "test")), known)
    found = by_name(evaluate_run(run.path))
    assert found["ece:probability", "overall"].n == 90
    assert found["exact_match", "overall"].n == 120


def test_all_right_has_no_auroc(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    samples = samples_of("test")
    probabilities, _ = drawn(samples)
    run.predictions_file(("rad", "test")).unlink()
    jsonl.append(
        run.predictions_file(("rad", "test")), predictions_of(samples, probabilities, [True] * len(samples))
    )
    found = by_name(evaluate_run(run.path))
    assert ("auroc:probability", "overall") not in found
    assert found["aurc:probability", "overall"].value == 0.0
