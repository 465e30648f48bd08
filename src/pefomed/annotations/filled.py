"""What is inside of a polygon or a circle: the pixels whose centre is.

A polygon that crosses itself holds what is inside an odd number of times, as in COCO and LabelMe. A centre on
a left or an upper edge is inside, on a right or a lower one outside: what two polygons share an edge of is
cut without gap and overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.box_numbers import Size

_DIGITS = 6
"""A centre so near to an edge is on it, whatever the edge's last digit."""


def polygon_pixels(points: Sequence[tuple[float, float]], size: Size) -> NDArray[np.bool_]:
    """Return the pixels (height, width) inside of a polygon, as far as it lies in its image.

    Args:
        points: x and y of the corners, finite; the last and the first one are joined.
        size: width and height of the image.
    """
    width, height = size
    corners = np.clip(np.asarray(points, np.float64), -_FAR, _FAR)
    # How often the edge of the polygon is crossed left of each pixel's centre, modulo 256.
    crossed = np.zeros((height, width + 1), np.uint8)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, behind = (int(np.clip(_first_centre(y), 0, height)) for y in (y0, y1))
        rows = np.arange(first, behind)
        x = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        crossed[rows, np.clip(_first_centre(x), 0, width).astype(np.int64)] += 1
    return np.asarray(np.cumsum(crossed[:, :width], axis=1, dtype=np.uint8) % 2 == 1)


def filled_circle(centre: tuple[float, float], radius: float, size: Size) -> NDArray[np.bool_]:
    """Return the pixels (height, width) inside of a circle, as far as it lies in its image."""
    x, y = (np.arange(side) + 0.5 - at for side, at in zip(size, centre, strict=True))
    return np.asarray(np.hypot(x[None, :], y[:, None]) <= radius)


_FAR = 1e9


def _first_centre(edge: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first pixel whose centre is at an edge or behind it."""
    return np.ceil(np.round(np.asarray(edge) - 0.5, _DIGITS))
