"""A part of an image: which pixels it holds, and where a box of the image lies in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image

from pefomed.errors import ImageError
from pefomed.schema import Box


@dataclass(frozen=True)
class Crop:
    """Edges as shares of the image's width and height; below 0 or above 1 they lie beyond it."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __str__(self) -> str:
        return ":".join(f"{edge:g}" for edge in (self.x0, self.y0, self.x1, self.y1))

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the edges in whole pixels of an image of `size` (width, height), at least one apart."""
        left, right = round(self.x0 * size[0]), round(self.x1 * size[0])
        top, bottom = round(self.y0 * size[1]), round(self.y1 * size[1])
        return left, top, max(right, left + 1), max(bottom, top + 1)

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return width and height in pixels of the part of an image of `size`."""
        left, top, right, bottom = self.pixels(size)
        return right - left, bottom - top

    def of(self, image: Image.Image) -> Image.Image:
        """Return the part of `image`, black where it lies beyond."""
        return image.crop(self.pixels(image.size))

    def box(self, box: Box, size: tuple[int, int], least: float) -> Box | None:
        """Return a box of the image as one of the part; None if less than `least` of its area is in it."""
        left, top, right, bottom = self.pixels(size)
        x0, x1 = ((x * size[0] - left) / (right - left) for x in (box.x0, box.x1))
        y0, y1 = ((y * size[1] - top) / (bottom - top) for y in (box.y0, box.y1))
        area = (x1 - x0) * (y1 - y0)
        x0, y0, x1, y1 = (min(max(edge, 0.0), 1.0) for edge in (x0, y0, x1, y1))
        if x0 >= x1 or y0 >= y1 or (x1 - x0) * (y1 - y0) < least * area:
            return None
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)


def crop_of(text: str) -> Crop:
    """Return the crop that `left:top:right:bottom` says.

    Raises:
        ImageError: it says none, or one more than twice as wide or high as its image.
    """
    number = r"(-?[0-9]{1,2}(?:\.[0-9]{1,6})?)"
    found = re.fullmatch(":".join([number] * 4), text)
    x0, y0, x1, y1 = map(float, found.groups()) if found else (0.0, 0.0, 0.0, 0.0)
    if not (x0 < x1 <= x0 + 2 and y0 < y1 <= y0 + 2 and x0 < 1 and y0 < 1 and x1 > 0 and y1 > 0):
        raise ImageError(
            "a crop must be left:top:right:bottom, shares of the image's sides, some of the image in it",
            found=repr(text),
            remedy="for example crop=0.1:0:0.9:1",
        )
    return Crop(x0, y0, x1, y1)
