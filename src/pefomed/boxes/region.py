"""Areas of boxes and of sets of boxes, exact: IoU and Dice.

IoU = |A and B| / |A or B|, Dice = 2 |A and B| / (|A| + |B|), where A and B are the union of the boxes of
one set each: what two boxes share counts once. The edges of all boxes cut the plane into cells that lie
wholly inside or outside of every box, so the areas are sums of cells and nothing is rasterised.
Dice = 2 IoU / (1 + IoU).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.schema import Box


class Areas(NamedTuple):
    """Areas of two sets of boxes, as shares of the image."""

    a: float
    b: float
    both: float
    """Where they overlap."""

    @property
    def iou(self) -> float:
        """Intersection over union; 0 if both are empty."""
        union = self.a + self.b - self.both
        return min(1.0, self.both / union) if union else 0.0

    @property
    def dice(self) -> float:
        """Twice the intersection over the sum; 0 if both are empty."""
        total = self.a + self.b
        return min(1.0, 2 * self.both / total) if total else 0.0


def areas(a: Sequence[Box], b: Sequence[Box]) -> Areas:
    """Return the areas of the unions of two sets of boxes, and of what they share."""
    if len(a) == len(b) == 1:
        return _of_pair(a[0], b[0])
    boxes = np.array([(box.x0, box.y0, box.x1, box.y1) for box in (*a, *b)]).reshape(-1, 4)  # (A + B, 4)
    xs, ys = np.unique(boxes[:, [0, 2]]), np.unique(boxes[:, [1, 3]])  # (X,), (Y,)
    columns, rows = np.searchsorted(xs, boxes[:, [0, 2]]), np.searchsorted(ys, boxes[:, [1, 3]])
    cells = np.diff(ys)[:, None] * np.diff(xs)  # (Y - 1, X - 1)
    in_a = _covered(rows[: len(a)], columns[: len(a)], cells.shape)
    in_b = _covered(rows[len(a) :], columns[len(a) :], cells.shape)
    return Areas(*(float(cells[inside].sum()) for inside in (in_a, in_b, in_a & in_b)))


def union_area(boxes: Sequence[Box]) -> float:
    """Return the area that at least one of the boxes covers, as a share of the image."""
    return areas(boxes, ()).a


def iou(a: Sequence[Box], b: Sequence[Box]) -> float:
    """Return the IoU of the unions of two sets of boxes; 0 if one of them is empty."""
    return areas(a, b).iou


def dice(a: Sequence[Box], b: Sequence[Box]) -> float:
    """Return the Dice coefficient of the unions of two sets of boxes; 0 if one of them is empty."""
    return areas(a, b).dice


def disjoint(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Return the area that at least one of the boxes covers as boxes that share nothing, (R, 4)."""
    corners = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes]).reshape(-1, 4)
    if len(corners) < 2:
        return corners
    xs, ys = np.unique(corners[:, [0, 2]]), np.unique(corners[:, [1, 3]])
    columns, rows = np.searchsorted(xs, corners[:, [0, 2]]), np.searchsorted(ys, corners[:, [1, 3]])
    row, column = np.nonzero(_covered(rows, columns, (len(ys) - 1, len(xs) - 1)))
    return np.stack((xs[column], ys[row], xs[column + 1], ys[row + 1]), axis=1)


def _of_pair(a: Box, b: Box) -> Areas:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    both = width * height if width > 0 and height > 0 else 0.0
    return Areas((a.x1 - a.x0) * (a.y1 - a.y0), (b.x1 - b.x0) * (b.y1 - b.y0), both)


def _covered(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return the cells, shape (Y - 1, X - 1), inside of boxes between edges `rows` and `columns`, (N, 2)."""
    inside = np.zeros(shape, dtype=bool)
    for (top, bottom), (left, right) in zip(rows.tolist(), columns.tolist(), strict=True):
        inside[top:bottom, left:right] = True
    return inside
