"""Floor of questions about boxes: the phrase of the training boxes that overlap most with those asked about.

Boxes are compared as sets, by the IoU of their unions in fractions of each image: no pixel is looked at,
and neither is the kind of image. Where several training phrases overlap equally, the most frequent one of
the whole training data is given, then the earlier. Boxes that overlap with none get the most frequent
phrase: all overlap equally, in nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pefomed.boxes.region import disjoint
from pefomed.metrics.normalise import plain
from pefomed.schema import Box

NEAREST_BOX = "the phrase of the training boxes with the highest IoU, ties by frequency"
"""What the floor is, as its scores' `implementation` says it."""

_DIGITS = 9  # IoUs equal to so many digits are ties on every machine


def nearest_box(
    known: Sequence[Sequence[Box]], phrases: Sequence[str], asked: Sequence[Sequence[Box]]
) -> list[str]:
    """Return a phrase for each set of boxes `asked`, from at least one training set and its phrase."""
    plain_phrases = [plain(phrase) for phrase in phrases]
    counts = Counter(plain_phrases)
    frequency = np.array([counts[phrase] for phrase in plain_phrases])  # (T,)
    parts = [disjoint(boxes) for boxes in known]
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    x0, y0, x1, y1 = np.concatenate(parts).T  # (R,) each, of all training sets' parts
    areas = np.bincount(owners, (x1 - x0) * (y1 - y0), len(parts))  # (T,)
    found = []
    for boxes in asked:
        both = np.zeros(len(parts))
        area = 0.0
        for left, top, right, bottom in disjoint(boxes).tolist():
            area += (right - left) * (bottom - top)
            width = np.minimum(x1, right) - np.maximum(x0, left)
            height = np.minimum(y1, bottom) - np.maximum(y0, top)
            both += np.bincount(owners, np.maximum(width, 0) * np.maximum(height, 0), len(parts))
        union = areas + area - both
        ious = np.round(np.divide(both, union, out=np.zeros_like(both), where=union > 0), _DIGITS)
        best = np.flatnonzero(ious == ious.max())
        # argmax keeps the first of equals: the earlier in the training data.
        found.append(phrases[best[np.argmax(frequency[best])]])
    return found
