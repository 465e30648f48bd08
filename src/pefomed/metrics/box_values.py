"""What the boxes of an answer are worth, phrase by phrase: IoU, Dice, Acc@t, matched boxes and pointing.

Of a phrase with reference boxes R and answered boxes P (sets; areas are those of their unions):

    iou         |R and P| / |R or P|
    dice        2 |R and P| / (|R| + |P|), which is 2 iou / (1 + iou)
    acc_t       1 if iou >= t, t = 0.3, 0.5, 0.7
    box_*       precision and recall of one-to-one matching at IoU >= 0.5, box by box
    pointing    share of P whose centre lies in a box of R, edges included

An answer without boxes has 0 everywhere; of a phrase without reference boxes the answer that there is none
has 1 everywhere, any other 0 (`no_target`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.boxes import PlacedBoxes
from pefomed.boxes.matching import TOLERANCE, match
from pefomed.boxes.region import areas
from pefomed.metrics.known import IOU_THRESHOLDS
from pefomed.metrics.no_target import says_none
from pefomed.schema import Box

BOX_METRICS = (
    "iou", "dice", *(f"acc_{share}" for share in IOU_THRESHOLDS), "box_precision", "box_recall", "pointing",
)  # fmt: skip
"""Every metric of a phrase that its boxes alone are enough for."""


def phrase_values(references: Sequence[Box], answer: PlacedBoxes) -> dict[str, float]:
    """Return every metric of one phrase; without reference boxes all are 1 if the answer is none, else 0."""
    if not references:
        return dict.fromkeys(BOX_METRICS, float(says_none(answer)))
    shared = areas(references, answer.boxes)
    matching = match(answer.boxes, references)
    given = len(answer.boxes) + answer.outside
    pointed = sum(_points(box, references) for box in answer.boxes)
    return {
        "iou": shared.iou,
        "dice": shared.dice,
        **{f"acc_{t}": float(shared.iou >= t - TOLERANCE) for t in IOU_THRESHOLDS},
        "box_precision": len(matching.pairs) / given if given else 0.0,
        "box_recall": matching.recall,
        "pointing": pointed / given if given else 0.0,
    }


def box_values(
    references: Sequence[Sequence[Box]], answers: Sequence[PlacedBoxes]
) -> dict[str, NDArray[np.float64]]:
    """Return every metric of every phrase: name -> (N,)."""
    rows = [phrase_values(boxes, answer) for boxes, answer in zip(references, answers, strict=True)]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in BOX_METRICS}


def _points(box: Box, references: Sequence[Box]) -> bool:
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return any(other.x0 <= x <= other.x1 and other.y0 <= y <= other.y1 for other in references)
