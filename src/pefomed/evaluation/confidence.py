"""How sure a run's answers are, and what that is worth: calibration, risk against coverage, AUROC.

Right is what the headline says: exact match of words (of whole sentences the yes or no of closed questions),
IoU >= 0.5 of boxes. Captions and reports are neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.sureness import read_rule
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.decided import given, threshold_scores
from pefomed.evaluation.item_records import MODEL, OWN, value_items
from pefomed.evaluation.item_scores import ItemTable
from pefomed.evaluation.score import Questions, made_score, said, score_present, score_values
from pefomed.evaluation.sureness import confidences_of, probabilities
from pefomed.metrics.confidence import auroc, best_aurc, calibration_error, masses, risks
from pefomed.metrics.lookup import correctness
from pefomed.metrics.sentences import in_sentences
from pefomed.metrics.statistics.left_out import left_out_intervals
from pefomed.runs import Split
from pefomed.schema import ItemScore, Sample, Score
from pefomed.tasks import BOXES, TEXTS, WORDS

FEWEST = 50
"""Answers below which a group gets none of these: fewer in 15 bins say nothing."""

_RANKS = ("aurc", "aurc_excess", "auroc")
_CALIBRATED = ("ece", "ece_mass", *_RANKS)


class Right(NamedTuple):
    """Which answers are right."""

    metric: str
    """By which metric."""
    values: NDArray[np.float64]
    """1 or 0 of each answer, NaN where the metric is not of it; shape (N,)."""


def right_answers(samples: Sequence[Sample], answers: Sequence[str], table: ItemTable, system: str) -> Right:
    """Return which answers in words, or in boxes, are right.

    Args:
        samples: all of tasks that are answered in words, or all of tasks answered in boxes.
        answers: the model's, whose form decides what is right.
        table: what the metrics say of each answer.
    """
    if samples and samples[0].task in BOXES:
        return Right("acc_0.5", table.column("acc_0.5", [(sample.id, 0) for sample in samples], system))
    keys, metric = [(sample.id, None) for sample in samples], correctness().name
    equal = table.column(metric, keys, MODEL) == 1.0
    if in_sentences(answers, equal.tolist()):
        metric = "closed_accuracy"
    return Right(metric, table.column(metric, keys, system))


def is_probability(confidence: str, tasks: Sequence[str]) -> bool:
    """Return whether a confidence claims to be the share of right answers, so that it can be calibrated.

    The probability of a box is that of its very digits; agreement and likeness only rank.
    """
    return confidence == "drawn_support" or (confidence == "probability" and set(tasks) <= set(WORDS))


def confidence_scores(answered: AnsweredSplit) -> list[Score]:
    """Return how sure the answers are, and what it is worth; the values of single answers are kept.

    Where the run has a threshold, also how many answers it lets pass, and how many of these are wrong.
    """
    run, split = answered.run, Split(answered.dataset, answered.split)
    table = ItemTable(run.items.get(split, ()))
    rule = read_rule(run.folder, fitting=False)
    words, boxes, texts = (answered.places(*tasks) for tasks in (WORDS, BOXES, TEXTS))
    scores: list[Score] = []
    for system, predictions in zip(answered.systems, answered.predictions, strict=True):
        if system.name not in OWN:
            continue
        found = (
            confidences_of(run.folder, split, answered.samples, predictions, run.recipe)
            if system.name == MODEL
            else probabilities(predictions)
        )
        answered.keep(_items(answered.samples, system.name, found))
        for places in (words, boxes):
            if not places:
                continue
            samples = [answered.samples[at] for at in places]
            first = answered.systems[0].only(places).answers
            right = right_answers(samples, first, table, system.name)
            questions = answered.questions(samples)
            if words and places is boxes:
                # Overall would be read as of all answers.
                groups = {f"task={task}": _of_task(samples, task) for task in {s.task for s in samples}}
                questions = replace(questions, groups=groups)
            own = {name: column[places] for name, column in found.items()}
            scores += _scores(questions, own, right, system.name, [sample.task for sample in samples])
            if rule and system.name == MODEL and not {s.task for s in samples}.isdisjoint(rule.tasks):
                passed = given(rule, samples, own)
                scores += threshold_scores(questions, rule, passed, 1.0 - right.values, system.name)
        if texts and "drawn_agreement" in found and not words and not boxes:
            of_texts = answered.questions([answered.samples[at] for at in texts])
            column = {"drawn_agreement": found["drawn_agreement"][texts]}
            scores += score_present(of_texts, column, system.name)
    return scores


def _items(
    samples: Sequence[Sample], system: str, found: Mapping[str, NDArray[np.float64]]
) -> list[ItemScore]:
    records: list[ItemScore] = []
    for name, column in found.items():
        there = np.flatnonzero(~np.isnan(column)).tolist()
        records += value_items([samples[at] for at in there], system, {name: column[there]})
    return records


def _of_task(samples: Sequence[Sample], task: str) -> NDArray[np.int64]:
    return np.array([at for at, sample in enumerate(samples) if sample.task == task], dtype=np.int64)


def _scores(
    questions: Questions,
    confidences: Mapping[str, NDArray[np.float64]],
    right: Right,
    system: str,
    tasks: Sequence[str],
) -> list[Score]:
    scores: list[Score] = []
    for name, column in confidences.items():
        known = ~np.isnan(column)
        scores += score_present(questions, {name: column}, system)
        judged = _among(questions, known & ~np.isnan(right.values), FEWEST)
        how = f"confidence: {said(name).partition(', ')[2]}; right by {right.metric}"
        calibrated = is_probability(name, tasks)
        if calibrated:
            squares = (np.nan_to_num(column) - np.nan_to_num(right.values)) ** 2
            scores += _named(score_values(judged, {"brier": squares}, system, how), name)
        for group, places in judged.groups.items():
            scores += _of_group(
                judged, group, places, column[places], right.values[places], name, system, how, calibrated
            )
    return scores


def _among(questions: Questions, known: NDArray[np.bool_], fewest: int = 1) -> Questions:
    """Return the questions with groups of those that are known, where they are enough."""
    kept = {group: places[known[places]] for group, places in questions.groups.items()}
    return replace(questions, groups={group: own for group, own in kept.items() if len(own) >= fewest})


def _of_group(
    questions: Questions,
    group: str,
    places: NDArray[np.int64],
    confidence: NDArray[np.float64],
    right: NDArray[np.float64],
    name: str,
    system: str,
    how: str,
    calibrated: bool,
) -> list[Score]:
    names = _CALIBRATED if calibrated else _RANKS
    computed = _figures(confidence, right, names)
    values = computed(np.ones(len(places), dtype=np.bool_))
    intervals = left_out_intervals(
        computed, questions.clusters[places], draws=questions.draws, seed=questions.seed, by=questions.by
    )
    return [
        made_score(
            questions, f"{metric}:{name}", system, group, value, interval, len(places), said(metric, how)
        )
        for metric, value, interval in zip(names, values, intervals, strict=True)
        if value == value  # AUROC has no value where all answers are right, or all wrong
    ]


def _figures(
    confidence: NDArray[np.float64], right: NDArray[np.float64], names: Sequence[str]
) -> Callable[[NDArray[np.bool_]], list[float]]:
    # Held where they are while images are left out: of ties they would jump.
    ends = masses(confidence)

    def figures(kept: NDArray[np.bool_]) -> list[float]:
        c, r = confidence[kept], right[kept]
        if not len(c):
            return [float("nan")] * len(names)
        area = float(risks(c, r).mean())
        found = {"aurc": area, "aurc_excess": max(area - best_aurc(r), 0.0), "auroc": auroc(c, r)}
        if "ece" in names:
            found["ece"] = calibration_error(c, r)
            found["ece_mass"] = calibration_error(c, r, ends)
        return [found[name] for name in names]

    return figures


def _named(scores: Sequence[Score], confidence: str) -> list[Score]:
    return [score.model_copy(update={"metric": f"{score.metric}:{confidence}"}) for score in scores]
