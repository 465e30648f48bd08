"""A LabelMe file: an image, and the shapes that were drawn on it, as boxes.

    {"imagePath": "0.png", "imageWidth": 640, "imageHeight": 480, "imageData": null,
     "shapes": [{"label": "mass", "shape_type": "rectangle", "points": [[64, 48], [320, 240]]}]}

A rectangle has two opposite corners, a polygon all of them, a circle its centre and a point on it, a mask
the first and the last pixel and what is inside as a PNG in base64. Lines and points have no box.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pefomed.annotations.box_numbers import Fault, Size
from pefomed.annotations.filled import filled_circle
from pefomed.annotations.mask_bounds import bounds
from pefomed.annotations.outlines import Corners, around, around_circle, corners_of
from pefomed.annotations.sample_outlines import of_mask, of_polygons
from pefomed.annotations.segmentations import EMPTY
from pefomed.errors import DataError, json_kind, listed
from pefomed.files.files import read_json
from pefomed.images.image_errors import PIXEL_LIMIT
from pefomed.schema import Outline

WITHOUT_BOX = ("line", "linestrip", "point", "points")
"""Shapes that have no box."""

_BOXES = ("rectangle", "polygon", "circle", "mask")


def read_labelme(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a file says of its image, and its shapes.

    Raises:
        DataError: the file is missing or not as LabelMe writes it.
    """
    content = read_json(path)
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        raise DataError(
            f"{path} is no LabelMe file: it needs a list `shapes` of objects",
            found=f"keys {listed(sorted(content))}" if isinstance(content, dict) else json_kind(content),
            remedy="move other files away, or name the folder of the annotations in `annotations`",
        )
    if not isinstance(content.get("imagePath") or "", str):
        raise DataError(f"{path}: `imagePath` is a text", found=f"{content['imagePath']!r:.80}")
    return {name: value for name, value in content.items() if name != "shapes"}, shapes


def kind_of(shape: Mapping[str, Any]) -> str:
    """Return what a shape is; LabelMe's first files, which do not say it, hold polygons."""
    return str(shape.get("shape_type") or "polygon")


def box_of_shape(shape: Mapping[str, Any], size: Size) -> Corners | Fault:
    """Return the box around a shape that has one, or what is wrong with it.

    Args:
        size: of the image.
    """
    kind, points = kind_of(shape), shape.get("points")
    if kind == "rectangle":
        # Two opposite corners in any order, or all four.
        return _upright(points) if isinstance(points, list) and len(points) == 4 else around(points, 2)
    if kind == "polygon":
        return around(points)
    if kind == "circle":
        return around_circle(points, *size)
    if kind == "mask":
        return _around_mask(points, shape.get("mask"))
    return Fault(
        f"a shape of the type {kind!r}",
        f"known are {listed(list(_BOXES))}; {listed(list(WITHOUT_BOX))} have no box",
        "draw the upright box around it, or remove it",
    )


def outline_of_shape(shape: Mapping[str, Any], size: Size) -> Outline | None:
    """Return a polygon, circle or mask that has a box as an outline; a rectangle is none.

    Args:
        size: width and height of the image that points are counted on.
    """
    kind, points = kind_of(shape), shape.get("points")
    if kind == "polygon":
        found = of_polygons([points], size)
        return None if isinstance(found, Fault) else found
    if kind == "circle" and not isinstance(pairs := corners_of(points, 2), Fault):
        return of_mask(filled_circle(pairs[0], math.dist(pairs[0], pairs[1]), size))
    if kind == "mask" and not isinstance(part := _pixels(points, shape.get("mask")), Fault):
        left, top, inside = round(part[0]), round(part[1]), part[2]
        whole = np.zeros((size[1] + 1, size[0] + 1), np.bool_)
        place = whole[max(top, 0) : top + inside.shape[0], max(left, 0) : left + inside.shape[1]]
        place |= inside[max(-top, 0) :, max(-left, 0) :][: place.shape[0], : place.shape[1]]
        return of_mask(whole[: size[1], : size[0]])
    return None


_FAULTS = (
    EOFError, IndexError, OSError, OverflowError, SyntaxError, TypeError, UnidentifiedImageError, ValueError,
    binascii.Error, struct.error, zlib.error,
)  # fmt: skip
"""What base64 and Pillow raise on damaged text."""


def _upright(points: list[Any]) -> Corners | Fault:
    found = around(points, 4)
    if isinstance(found, Fault):
        return found
    corners = {(x, y) for x in found[::2] for y in found[1::2]}
    if {(float(x), float(y)) for x, y in points} != corners:
        return Fault("a rectangle that is not upright", f"{points!r:.80}", "draw the upright box around it")
    return found


def _around_mask(points: Any, text: Any) -> Corners | Fault:
    found = _pixels(points, text)
    if isinstance(found, Fault):
        return found
    left, top, mask = found
    inside = bounds(mask)
    if inside is None:
        return EMPTY
    return left + inside[0], top + inside[1], left + inside[2], top + inside[3]


def _pixels(points: Any, text: Any) -> tuple[float, float, NDArray[np.bool_]] | Fault:
    """Return where the PNG of a mask begins, and what is inside; it is as large as the box of its pixels."""
    found = around(points, 2)
    if isinstance(found, Fault):
        return found
    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.width * image.height > PIXEL_LIMIT:
                return Fault("a mask of too many pixels", f"{image.width} x {image.height}")
            return found[0], found[1], np.asarray(image.convert("L")) > 0
    except _FAULTS as error:
        return Fault("a mask is no PNG in base64", f"{error!s:.80}")
    except Image.DecompressionBombError as error:
        return Fault("a mask of too many pixels", f"{error!s:.80}")
