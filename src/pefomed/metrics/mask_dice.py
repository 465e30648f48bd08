"""Dice of the boxes of an answer with the mask of a phrase.

With M the mask's pixels and P those whose centre lies in a box of the answer (left and upper edge included):

    mask_dice   2 |M and P| / (|M| + |P|)

Boxes are shares of the image, so a mask of another size in the same proportions has its own pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.schema import Box

METRIC = "mask_dice"


def mask_dice(mask: NDArray[np.bool_], boxes: Sequence[Box]) -> float:
    """Return the Dice of a mask (height, width) that is not empty, and the union of boxes."""
    inside = np.zeros_like(mask)
    height, width = mask.shape
    for box in boxes:
        inside[_centres(box.y0, box.y1, height), _centres(box.x0, box.x1, width)] = True
    return float(2 * (mask & inside).sum() / (mask.sum() + inside.sum()))


def _centres(low: float, high: float, pixels: int) -> slice:
    """Return the pixels of a row or column whose centres lie in [low, high), as shares of its length."""
    # Rounded: a centre exactly on an edge is on the same side of it, whatever the edge's last digit.
    first, behind = (math.ceil(round(edge * pixels - 0.5, 6)) for edge in (low, high))
    return slice(first, behind)
