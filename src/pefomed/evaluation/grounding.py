"""Scores of boxes: per item IoU, Dice, Acc@t, matched boxes and pointing; micro and macro means.

Of an item with reference boxes R and answered boxes P (sets; areas are those of their unions):

    iou         |R and P| / |R or P|
    dice        2 |R and P| / (|R| + |P|), which is 2 iou / (1 + iou)
    acc_t       1 if iou >= t, t = 0.3, 0.5, 0.7
    box_*       precision and recall of one-to-one matching at IoU >= 0.5, box by box
    pointing    share of P whose centre lies in a box of R, edges included

An answer without boxes has 0 everywhere; of an item without reference boxes the answer that there is none has
1 everywhere, any other 0 (`absent`). `iou` is the mean over items (micro), `iou_macro` the mean over
categories of each category's mean; so are `dice_macro` and `acc_0.5_macro`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.boxes import PlacedBoxes
from pefomed.boxes.matching import TOLERANCE, match
from pefomed.boxes.region import areas
from pefomed.errors import DataError
from pefomed.evaluation.absent import says_none, score_absent, with_any
from pefomed.evaluation.score import Questions, check_lists, listed, made_score, said
from pefomed.evaluation.sides import score_sides
from pefomed.metrics.statistics.interval import DRAWS, figure_intervals, mean_intervals
from pefomed.schema import Box, Score

THRESHOLDS = (0.3, 0.5, 0.7)

ITEM = ("iou", "dice", *(f"acc_{share}" for share in THRESHOLDS), "box_precision", "box_recall", "pointing")
"""Every metric of an item."""

MACRO = ("iou", "dice", "acc_0.5")
"""Metrics that have a macro mean too."""

MOST_CATEGORIES = 200
"""With more categories than this there are no macro means and no groups: they are single phrases."""


def item_values(references: Sequence[Box], answer: PlacedBoxes) -> dict[str, float]:
    """Return every metric of one item; without reference boxes all are 1 if the answer is none, else 0."""
    if not references:
        return dict.fromkeys(ITEM, float(says_none(answer)))
    found = areas(references, answer.boxes)
    matching = match(answer.boxes, references)
    given = len(answer.boxes) + answer.outside
    pointed = sum(_points(box, references) for box in answer.boxes)
    return {
        "iou": found.iou,
        "dice": found.dice,
        **{f"acc_{t}": float(found.iou >= t - TOLERANCE) for t in THRESHOLDS},
        "box_precision": len(matching.pairs) / given if given else 0.0,
        "box_recall": matching.recall,
        "pointing": pointed / given if given else 0.0,
    }


def box_values(
    references: Sequence[Sequence[Box]], answers: Sequence[PlacedBoxes]
) -> dict[str, NDArray[np.float64]]:
    """Return every metric of every item: name -> (N,)."""
    rows = [item_values(boxes, answer) for boxes, answer in zip(references, answers, strict=True)]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in ITEM}


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
    questions = with_any(questions, references)
    values = values or box_values(references, answers)
    columns = np.stack([values[name] for name in MACRO], axis=1)
    return [
        *_micro_scores(questions, values, system, how),
        *_macro_scores(questions, categories, columns, system, how),
        *score_absent(questions, references, answers, system, how),
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
    return scores + score_sides(questions, [""] * len(references), references, predictions, system)


def _points(box: Box, references: Sequence[Box]) -> bool:
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return any(one.x0 <= x <= one.x1 and one.y0 <= y <= one.y1 for one in references)


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
