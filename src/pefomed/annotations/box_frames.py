"""The frame that a file's boxes are counted in: the pixels of the stored image, and what its table says.

An image whose pixels are not square in the body is shown stretched; boxes are pixels of the matrix as it is
stored. A photo is shown turned as its EXIF orientation says; boxes are pixels of the turned picture, and one
that only fits the unturned picture is a fault that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.annotations.box_numbers import Fault, Form, Size, Unit, box_of, size_fault
from pefomed.errors import DataError
from pefomed.images.images import image_size, matrix_size, turn_of
from pefomed.schema import Box

_REMEDY = "boxes are counted on the picture as it is shown: count them there, or remove the files' EXIF turn"


@dataclass(frozen=True)
class ImageSizes:
    """The sizes of an image, each width and height."""

    shown: Size
    """As the model and people see it."""
    stored: Size
    """Before its pixels are made square, in which boxes are counted."""
    turn: int
    """The EXIF orientation, 1 for none."""

    def pixels(self, said: tuple[Any, Any] | None, scaled: bool) -> Size | Fault:
        """Return the size that boxes are pixels of; a fault if the image is not as large as its table says.

        Args:
            said: width and height of the table; None where it says nothing.
            scaled: the images were scaled in proportion; boxes are pixels of the table's sizes.
        """
        if said is None:
            return self.stored
        faults = [size_fault(size, said, scaled) for size in (self.stored, self.shown)]
        fault = faults[0]
        if fault is None or faults[1] is None:
            return int(float(said[0])), int(float(said[1]))
        if self.turn in _SIDEWAYS and size_fault(self.shown[::-1], said, scaled) is None:
            return Fault("the table counts on the picture before its EXIF turn", fault.found, _REMEDY)
        return fault

    def box(self, numbers: Sequence[Any], form: Form, unit: Unit, pixels: Size) -> Box | Fault:
        """Return the box of four numbers, or what is wrong with them; `pixels` is what `pixels` returned."""
        found = box_of(numbers, form, unit, pixels)
        if isinstance(found, Fault) and self.turn in _SIDEWAYS:
            unturned = box_of(numbers, form, unit, pixels[::-1])
            if isinstance(unturned, Box):
                return Fault("the box only fits the picture before its EXIF turn", found.found, _REMEDY)
        return found


def frame_of(path: str | Path) -> ImageSizes:
    """Return the frame of an image file.

    Raises:
        ImageError: it cannot be read.
    """
    return ImageSizes(image_size(path), matrix_size(path), turn_of(path))


def told_frame(said: tuple[Any, Any] | None) -> ImageSizes:
    """Return the frame of an image that is not there: as large as its table says, or of no known size.

    Raises:
        DataError: width or height is no number of pixels.
    """
    if said is None:
        return ImageSizes((1, 1), (1, 1), 1)
    try:
        size = (int(float(said[0])), int(float(said[1])))
    except (TypeError, ValueError, OverflowError):
        size = (0, 0)
    if min(size) < 1:
        raise DataError("width and height must be numbers of pixels", found=f"{said[0]!r}, {said[1]!r}")
    return ImageSizes(size, size, 1)


_SIDEWAYS = (5, 6, 7, 8)
