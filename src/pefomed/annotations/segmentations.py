"""What COCO's field `segmentation` holds, as the box around it: polygons, or a run-length code."""

from __future__ import annotations

from typing import Any, NamedTuple

from pefomed.annotations.box_numbers import Fault, size_fault
from pefomed.annotations.outlines import Corners, around_all, around_flat
from pefomed.annotations.rle import is_rle, rle_bounds, rle_size

Said = tuple[Any, Any]


class Around(NamedTuple):
    """The box around a segmentation."""

    corners: Corners
    """In pixels: left, top, right, bottom."""
    size: Said | None
    """Width and height of the image, as far as the file says them."""


NO_BOX = Fault(
    "a box needs four finite numbers, or an outline", "neither `bbox` nor `segmentation`", "give it one"
)
EMPTY = Fault("a mask without a pixel", "nothing inside", "correct it")


def around_segmentation(value: Any, said: Said | None) -> Around | Fault:
    """Return the box around a segmentation, or what is wrong with it; `EMPTY` for a mask of nothing.

    Args:
        said: width and height of the image as the file says them.
    """
    if is_rle(value):
        return _around_code(value, said)
    if not isinstance(value, list) or not value:
        return Fault("a segmentation is a list of polygons, or a run-length code", f"{value!r:.80}")
    # Some programs write the only polygon without the list around it.
    polygons = value if isinstance(value[0], list) else [value]
    found = []
    for polygon in polygons:
        corners = around_flat(polygon)
        if isinstance(corners, Fault):
            return corners
        found.append(corners)
    return Around(around_all(found), said)


def _around_code(code: Any, said: Said | None) -> Around | Fault:
    size = rle_size(code)
    if isinstance(size, Fault):
        return size
    if said is not None and (fault := size_fault(size, said)):
        return Fault(
            "a mask is not as large as its image",
            fault.found.replace("in the table", "is the image").replace("in the file", "the mask"),
        )
    corners = rle_bounds(code)
    if isinstance(corners, Fault):
        return corners
    return Around(corners, size) if corners else EMPTY
