"""Where boxes lie: one of nine places of the image, a side, or a half.

Left is the left of the image as it is shown. Half the width of the middle is `MIDDLE`: of 0.02 to 0.17 it
agrees best with SLAKE's training answers to "Where is the liver?" and the like.
"""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.schema import Box

MIDDLE = 0.06

PLACES = (
    ("upper left", "top", "upper right"),
    ("left", "center", "right"),
    ("lower left", "bottom", "lower right"),
)


def part(value: float) -> int:
    """Return 0, 1 or 2 for a coordinate before, in or behind the middle."""
    return 0 if value < 0.5 - MIDDLE else 2 if value > 0.5 + MIDDLE else 1


def place_of(boxes: Sequence[Box]) -> str | None:
    """Return the place of `PLACES` where all boxes have their centres, None if they are in several."""
    found = {PLACES[part((box.y0 + box.y1) / 2)][part((box.x0 + box.x1) / 2)] for box in boxes}
    return found.pop() if len(found) == 1 else None


def side_of(boxes: Sequence[Box]) -> str | None:
    """Return `left` or `right` of the image where all boxes lie on that side, beside the middle."""
    sides = {part((box.x0 + box.x1) / 2) for box in boxes}
    return {0: "left", 2: "right"}.get(sides.pop()) if len(sides) == 1 else None


def half_of(boxes: Sequence[Box]) -> str | None:
    """Return `upper` or `lower` where all boxes lie in that half of the image, beside the middle."""
    halves = {part((box.y0 + box.y1) / 2) for box in boxes}
    return {0: "upper", 2: "lower"}.get(halves.pop()) if len(halves) == 1 else None
