"""Scores of boxes: the mean over phrases of every metric, and the mean over categories.

`iou` is the mean over phrases (micro), `iou_macro` the mean over categories of each category's mean; so are
`dice_macro` and `acc_0.5_macro`. Means are over all phrases; the group `boxes=any` has those over the phrases
with boxes alone, which figures published of data without other phrases compare with (`metrics.no_target`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.boxes import PlacedBoxes
from pefomed.errors import DataError
from pefomed.evaluation.groups import ANY_BOX
from pefomed.evaluation.score import Questions, check_lists, listed, made_score, said, score_present
from pefomed.metrics.box_values import box_values
from pefomed.metrics.known import METRICS
from pefomed.metrics.laterality import RULE, laterality_values
from pefomed.metrics.no_target import no_target_values
from pefomed.metrics.statistics.interval import DRAWS, figure_intervals, mean_intervals
from pefomed.schema import Box, Score

MACRO = tuple(metric.mean_of for metric in METRICS.values() if metric.mean_of)
"""Metrics that have a macro mean too."""

MOST_CATEGORIES = 200
"""With more categories than this there are no macro means and no groups: they are single phrases."""


def score_answered_boxes(
    questions: Questions,
    categories: Sequence[str],
    references: Sequence[Sequence[Box]],
    answers: Sequence[PlacedBoxes],
    system: str,
    how: str = "",
    values: Mapping[str, NDArray[np.float64]] | None = None,
) -> list[Score]:
    """Return every metric for every group, the macro means over categories, and what is said to be absent.

    Args:
        questions: the items' groups and images; its references are not read.
        categories: each item's category; an empty one counts in no macro mean.
        references: each item's boxes; none if the right answer is that there is none.
        how: how the answers came about.
        values: `box_values` of them, if they are known already.
    """
    questions = _with_any(questions, references)
    values = values or box_values(references, answers)
    columns = np.stack([values[name] for name in MACRO], axis=1)
    return [
        *_micro_scores(questions, values, system, how),
        *_macro_scores(questions, categories, columns, system, how),
        *score_present(questions, no_target_values(references, answers), system, how),
    ]


def score_boxes(
    references: Sequence[Sequence[Box]],
    predictions: Sequence[Sequence[Box]],
    *,
    images: Sequence[str] | None = None,
    metas: Sequence[Mapping[str, str]] | None = None,
    system: str = "model",
    dataset: str = "boxes",
    split: str = "all",
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Score]:
    """Score lists of boxes: every metric, overall and by every meta key of 2 to 40 values.

    Args:
        references: the right boxes of each item; none of what is not in the image.
        predictions: the given boxes of each item; none if there was no readable answer, or if it was that
            there is none: of an item without reference boxes this is the right one.
        images: what each item is about; items with the same name stay together in the interval.
            By default every item stands alone.
        metas: the items' meta values; `category` makes the macro means.
        draws: images left out for an interval at most, more in so many groups; 0 for no interval.
        seed: decides the groups.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    remedy = "give one entry of each list per item, in the same order; a single box is a list of one"
    check_lists(references, predictions, images, metas, remedy)
    for name, lists in (("references", references), ("predictions", predictions)):
        for place, boxes in enumerate(lists):
            if not isinstance(boxes, list | tuple) or not all(isinstance(box, Box) for box in boxes):
                raise DataError(
                    f"{name}[{place}] must be a list of boxes",
                    found=f"{boxes!r:.80}",
                    remedy="make each with `pefomed.Box(x0=..., y0=..., x1=..., y1=...)`, as fractions",
                )
    questions = listed([""] * len(references), images, metas, dataset, split, draws, seed)
    categories = [meta.get("category", "") for meta in metas or [{}] * len(references)]
    answers = [PlacedBoxes(tuple(boxes)) for boxes in predictions]
    scores = score_answered_boxes(questions, categories, references, answers, system)
    sides = laterality_values([""] * len(references), references, predictions)
    return scores + score_present(questions, sides, system, RULE)


def _with_any(questions: Questions, references: Sequence[Sequence[Box]]) -> Questions:
    """Return the questions with the group of the phrases that have boxes, if there are others beside them."""
    present = np.flatnonzero([bool(boxes) for boxes in references])
    if not 0 < len(present) < len(references):
        return questions
    return replace(questions, groups={**questions.groups, ANY_BOX: present})


def _micro_scores(
    questions: Questions, values: Mapping[str, NDArray[np.float64]], system: str, how: str
) -> list[Score]:
    columns = np.stack(list(values.values()), axis=1)  # (N, K)
    implementations = [said(name, how) for name in values]
    scores = []
    for group, places in questions.groups.items():
        intervals = mean_intervals(
            columns[places], questions.clusters[places], draws=questions.draws, by=questions.by
        )
        scores += [
            made_score(questions, name, system, group, mean, interval, len(places), implementation)
            for name, mean, interval, implementation in zip(
                values, columns[places].mean(0).tolist(), intervals, implementations, strict=True
            )
        ]
    return scores


def _macro_scores(
    questions: Questions, categories: Sequence[str], values: NDArray[np.float64], system: str, how: str
) -> list[Score]:
    """Return the macro means of `values`, shape (N, M), for every group that has several categories."""
    names = {name: number for number, name in enumerate(sorted(set(categories) - {""}))}
    if not 2 <= len(names) <= MOST_CATEGORIES:
        return []
    codes = np.array([names.get(category, -1) for category in categories])  # (N,)
    scores: list[Score] = []
    for group, chosen in questions.groups.items():
        places = chosen[codes[chosen] >= 0]
        present = np.unique(codes[places])
        if len(present) < 2:
            continue
        member = (codes[places, None] == present).astype(np.float64)  # (N, C)
        weighed = [values[places, column, None] * member for column in range(len(MACRO))]
        sums = np.concatenate((*weighed, member), axis=1)  # (N, M C + C)
        macro = partial(_macro, categories=len(present))
        value = macro(sums.sum(0, keepdims=True))[0]
        intervals = figure_intervals(
            sums,
            questions.clusters[places],
            macro,
            draws=questions.draws,
            seed=questions.seed,
            by=questions.by,
        )
        for name, mean, interval in zip(MACRO, value.tolist(), intervals, strict=True):
            about = f"mean over {len(present)} categories of each one's mean {name}"
            implementation = _implementation(f"{name}_macro", about, how)
            scores.append(
                made_score(
                    questions, f"{name}_macro", system, group, mean, interval, len(places), implementation
                )
            )
    return scores


def _macro(totals: NDArray[np.float64], categories: int) -> NDArray[np.float64]:
    """Return the M macro means of totals, shape (D, M C + C); a category not drawn is left out."""
    counts = totals[:, -categories:]  # (D, C)
    sums = totals[:, :-categories].reshape(len(totals), -1, categories)  # (D, M, C)
    drawn = counts > 0
    means = np.divide(sums, counts[:, None], out=np.zeros_like(sums), where=drawn[:, None])
    return np.asarray(means.sum(2) / drawn.sum(1)[:, None])


def _implementation(name: str, definition: str, how: str) -> str:
    return f"pefomed {__version__}, {name}: {definition}" + (f"; {how}" if how else "")
