"""What a run's threshold does to the answers of a split: how many are given, how many of these are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.sureness import Rule
from pefomed.evaluation.score import Questions, score_values
from pefomed.evaluation.sureness import Confidences
from pefomed.schema import Sample, Score


def given(rule: Rule, samples: Sequence[Sample], confidences: Confidences) -> NDArray[np.float64]:
    """Return 1 for each answer that is given and 0 for each that is not sure, shape (N,).

    NaN for tasks of which the rule says nothing.
    """
    known = [confidences.get(name) for name in (rule.by, "likeness")]
    columns = [np.full(len(samples), np.nan) if column is None else column for column in known]
    found = np.full(len(samples), np.nan)
    for place, (sample, *values) in enumerate(zip(samples, *columns, strict=True)):
        if sample.task in rule.tasks:
            confidence, likeness = (None if np.isnan(value) else float(value) for value in values)
            found[place] = float(not rule.why_not(confidence, likeness))
    return found


def threshold_scores(
    questions: Questions, rule: Rule, answered: NDArray[np.float64], wrong: NDArray[np.float64], system: str
) -> list[Score]:
    """Return the share of answered questions, and of wrong answers among them, for every group.

    Args:
        answered: `given`, shape (N,).
        wrong: 1 or 0, NaN where neither can be said; shape (N,).
    """
    known = ~np.isnan(answered) & ~np.isnan(wrong)
    least = "none" if rule.threshold is None else f"{rule.threshold:.6g}"
    how = (
        f"{rule.by} of {least} or more, chosen on {rule.source} for at most"
        f" {100 * rule.most_wrong:.3g} % wrong; right by {rule.right_by}"
    )
    scores = score_values(_of(questions, known), {"answered_share": np.nan_to_num(answered)}, system, how)
    return scores + score_values(
        _of(questions, known & (answered == 1)), {"wrong_answered": np.nan_to_num(wrong)}, system, how
    )


def _of(questions: Questions, chosen: NDArray[np.bool_]) -> Questions:
    kept = {group: places[chosen[places]] for group, places in questions.groups.items()}
    return replace(questions, groups={group: places for group, places in kept.items() if len(places)})
