"""Outlines as files of boxes hold them, kept with their sample so that answers can be held against them.

An outline that cannot be read leaves its box as it is: what is wrong with it is said, and there is no
`mask_dice` of its phrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.box_numbers import Fault, Size, size_fault
from pefomed.annotations.filled import polygon_pixels
from pefomed.annotations.outlines import Pair, corners_of
from pefomed.annotations.rle import as_text, is_rle, rle_mask, rle_size, rle_text
from pefomed.errors import DataError, ImageError
from pefomed.images.image_errors import PIXEL_LIMIT
from pefomed.images.images import matrix_size
from pefomed.schema import Outline


def of_segmentation(value: Any, size: Size) -> Outline | Fault | None:
    """Return a COCO `segmentation` as an outline; None where nothing is drawn, or what is wrong with it.

    Args:
        size: width and height of the image that it is counted on.
    """
    if not value:
        return None
    if is_rle(value):
        own = rle_size(value)
        if isinstance(own, Fault):
            return own
        if fault := size_fault(size, own):
            return Fault("a mask is not as large as its image", fault.found)
        text = as_text(value)
        return Outline(size=size, pixels=text) if isinstance(text, str) else text
    if not isinstance(value, list):
        return Fault("a segmentation is a list of polygons, or a run-length code", f"{value!r:.80}")
    polygons = []
    for numbers in value if isinstance(value[0], list | tuple) else [value]:
        if not isinstance(numbers, list | tuple) or len(numbers) % 2:
            return Fault("a polygon is a list of an even number of coordinates", f"{numbers!r:.80}")
        polygons.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return of_polygons(polygons, size)


def of_polygons(polygons: Iterable[Any], size: Size) -> Outline | Fault:
    """Return polygons, each a list of points [x, y], as one outline, or what is wrong with them."""
    found = []
    for points in polygons:
        corners = corners_of(points, 3)
        if isinstance(corners, Fault):
            return corners
        found.append(" ".join(f"{_written(x)},{_written(y)}" for x, y in corners))
    return Outline(size=size, polygons=tuple(found))


def of_mask(mask: NDArray[np.bool_]) -> Outline | None:
    """Return the pixels inside of a mask (height, width) as an outline; None where there are none."""
    return Outline(size=(mask.shape[1], mask.shape[0]), pixels=rle_text(mask)) if mask.any() else None


def outline_mask(outline: Outline) -> NDArray[np.bool_]:
    """Return what is inside of an outline, (height, width).

    Raises:
        DataError: it is none, which only an edited file of samples holds.
    """
    width, height = outline.size
    if width * height > PIXEL_LIMIT:
        raise DataError("an outline on too large an image", found=f"{width} x {height} pixels")
    if not outline.polygons:
        mask = rle_mask({"size": [height, width], "counts": outline.pixels})
        if isinstance(mask, Fault):
            raise mask.error("an outline of a sample")
        return mask
    return reduce(np.logical_or, (polygon_pixels(_points(text), outline.size) for text in outline.polygons))


def counted_on(said: tuple[Any, Any] | None, image: str | Path) -> Size | None:
    """Return the size an outline is counted on: as the file says, or that of the image; None for none."""
    if said is not None:
        sides = [_whole(side) for side in said]
        return (sides[0], sides[1]) if all(sides) else None
    try:
        return matrix_size(image)
    except ImageError:  # whoever needs the image says so
        return None


def _points(text: str) -> Sequence[Pair]:
    try:
        pairs = [tuple(map(float, corner.split(","))) for corner in text.split(" ")]
    except ValueError:
        pairs = []
    corners = corners_of(pairs, 3)
    if isinstance(corners, Fault):
        raise corners.error(f"the polygon {text!r:.60} of a sample")
    return corners


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _whole(side: Any) -> int:
    try:
        return max(int(float(side)), 0)
    except (TypeError, ValueError, OverflowError):
        return 0
