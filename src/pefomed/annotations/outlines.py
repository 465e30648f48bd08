"""Outlines that people draw, as the boxes around them: polygons and circles.

Points are x and y on the plane of the image, where a pixel is as wide as 1 and the first begins at 0. The box
of a polygon is that of its corners, as COCO's own `bbox` is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pefomed.annotations.box_numbers import Fault

Pair = tuple[float, float]

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def around(points: Any, least: int = 3) -> Corners | Fault:
    """Return the box around points [x, y], or what is wrong with them.

    Args:
        least: how many there must be.
    """
    pairs = corners_of(points, least)
    if isinstance(pairs, Fault):
        return pairs
    xs, ys = zip(*pairs, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def corners_of(points: Any, least: int) -> list[Pair] | Fault:
    """Return points [x, y] as numbers, or what is wrong with them."""
    pairs = [_pair(point) for point in points] if isinstance(points, list | tuple) else []
    found = [pair for pair in pairs if pair is not None]
    if len(pairs) < least or len(found) < len(pairs):
        return Fault(f"an outline needs {least} points of two finite numbers", f"{points!r:.80}")
    return found


def around_flat(numbers: Any) -> Corners | Fault:
    """Return the box around a polygon x, y, x, y, ... in one list, or what is wrong with it."""
    if not isinstance(numbers, list | tuple) or len(numbers) % 2:
        return Fault("a polygon is a list of an even number of coordinates", f"{numbers!r:.80}")
    return around(list(zip(numbers[::2], numbers[1::2], strict=True)))


def around_all(boxes: Sequence[Corners]) -> Corners:
    """Return the box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def around_circle(points: Any, width: float, height: float) -> Corners | Fault:
    """Return the box around a circle as far as it lies in its image, or what is wrong with it.

    Args:
        points: the centre, and a point of the circle.
        width, height: of the image in pixels.
    """
    pairs = [_pair(point) for point in points] if isinstance(points, list | tuple) else []
    if len(pairs) != 2 or pairs[0] is None or pairs[1] is None:
        return Fault("a circle needs its centre and a point on it", f"{points!r:.80}")
    (x, y), (on_x, on_y) = pairs[0], pairs[1]
    if not (0 <= x <= width and 0 <= y <= height):
        return Fault("the centre of a circle is out of its image", f"{points!r:.80}")
    radius = math.hypot(on_x - x, on_y - y)
    # With the centre inside, the part that is seen reaches as far as circle and image both do.
    return max(x - radius, 0.0), max(y - radius, 0.0), min(x + radius, width), min(y + radius, height)


def _pair(point: Any) -> Pair | None:
    if not isinstance(point, list | tuple) or len(point) != 2:
        return None
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in point):
        return None
    try:
        x, y = float(point[0]), float(point[1])
    except OverflowError:  # an integer with more than 308 digits
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None
