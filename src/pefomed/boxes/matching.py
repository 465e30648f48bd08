"""One-to-one matching of predicted with reference boxes.

A pair may be matched if its IoU reaches a threshold. Of all ways to match, the one with the most pairs is
taken, among these the one with the largest sum of IoUs (Hungarian algorithm), so the order of the boxes
says nothing and no box counts twice. precision = pairs / predicted, recall = pairs / references.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pefomed.boxes.region import iou
from pefomed.schema import Box

LEAST_IOU = 0.5

TOLERANCE = 1e-9
"""An IoU so little below a threshold reaches it: sums of fractions are not exact in their last digit."""


class Matching(NamedTuple):
    """The matched pairs, (place among predicted, place among references), and the numbers of boxes."""

    pairs: tuple[tuple[int, int], ...]
    predicted: int
    references: int

    @property
    def precision(self) -> float:
        """Share of predicted boxes that are matched; 0 without any."""
        return len(self.pairs) / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of reference boxes that are matched; 0 without any."""
        return len(self.pairs) / self.references if self.references else 0.0


def match(predicted: Sequence[Box], references: Sequence[Box], least_iou: float = LEAST_IOU) -> Matching:
    """Match boxes one to one at an IoU of at least `least_iou`."""
    ious = np.array([[iou([p], [r]) for r in references] for p in predicted], dtype=np.float64)
    ious = ious.reshape(len(predicted), len(references))  # (P, R)
    allowed = ious >= least_iou - TOLERANCE
    if not allowed.any():
        return Matching((), len(predicted), len(references))
    # Not at the top: scipy takes half a second to import, and most answers have no two boxes to match.
    from scipy.optimize import linear_sum_assignment

    # One more pair weighs more than all IoUs together.
    gains = np.where(allowed, ious + min(ious.shape), 0.0)
    places = zip(*(side.tolist() for side in linear_sum_assignment(gains, maximize=True)), strict=True)
    return Matching(tuple((p, r) for p, r in places if allowed[p, r]), len(predicted), len(references))
