"""A changed picture: its border blackened, its greys bent, mirrored. Made of training images alone.

    scan.png#border=0.05:0:0.1:0     black bars at left, top, right and bottom, as shares of the sides
    scan.png#gamma=0.8               every grey v, from 0 to 1, becomes v^0.8; black and white stay
    scan.png#flip=x                  left becomes right

Done in this order, after a crop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from pefomed.errors import ImageError
from pefomed.schema import Box


@dataclass(frozen=True)
class Change:
    """What is done to a picture; nothing by default."""

    border: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Left, top, right, bottom."""
    gamma: float = 1.0
    flip: bool = False

    def view(self) -> list[str]:
        """Return the parts of a path's ending that say it, in one fixed order."""
        return [
            *([f"border={':'.join(f'{share:g}' for share in self.border)}"] if any(self.border) else []),
            *([f"gamma={self.gamma:g}"] if self.gamma != 1 else []),
            *(["flip=x"] if self.flip else []),
        ]

    def of(self, image: Image.Image) -> Image.Image:
        """Return the changed picture of an RGB image, of the same size."""
        if any(self.border):
            image = image.copy()
            left, top, right, bottom = self._inner(image.size)
            pen = ImageDraw.Draw(image)
            for bar in (
                (0, 0, left, image.height),
                (0, 0, image.width, top),
                (right, 0, image.width, image.height),
                (0, bottom, image.width, image.height),
            ):
                if bar[0] < bar[2] and bar[1] < bar[3]:
                    pen.rectangle((bar[0], bar[1], bar[2] - 1, bar[3] - 1), fill="black")
        if self.gamma != 1:
            table = [round(255 * (value / 255) ** self.gamma) for value in range(256)]
            image = image.point(table * len(image.getbands()))
        return ImageOps.mirror(image) if self.flip else image

    def box(self, box: Box, size: tuple[int, int], least: float) -> Box | None:
        """Return what is to be seen of a box of a picture of `size`; None if less than `least` of it is."""
        left, top, right, bottom = self._inner(size)
        x0, x1 = max(box.x0, left / size[0]), min(box.x1, right / size[0])
        y0, y1 = max(box.y0, top / size[1]), min(box.y1, bottom / size[1])
        area = (box.x1 - box.x0) * (box.y1 - box.y0)
        if x0 >= x1 or y0 >= y1 or (x1 - x0) * (y1 - y0) < least * area:
            return None
        if self.flip:
            x0, x1 = 1 - x1, 1 - x0
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)

    def _inner(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the edges in pixels of what is not blackened."""
        left, top, right, bottom = self.border
        return (
            round(left * size[0]), round(top * size[1]),
            size[0] - round(right * size[0]), size[1] - round(bottom * size[1]),
        )  # fmt: skip


NONE = Change()

KEYS = ("border", "gamma", "flip")
"""What a path may say of it."""


def changed(key: str, text: str) -> tuple[float, float, float, float] | float | bool:
    """Return the value that a path says of `key`.

    Raises:
        ImageError: it is none.
    """
    if key == "flip":
        if text != "x":
            raise ImageError("flip must be x: left becomes right", found=repr(text))
        return True
    number = r"[0-9](?:\.[0-9]{1,6})?"
    if key == "gamma":
        value = float(text) if re.fullmatch(number, text) else 0.0
        if not 0.1 <= value <= 9:
            raise ImageError("gamma must be a number from 0.1 to 9", found=repr(text))
        return value
    found = re.fullmatch(":".join([f"({number})"] * 4), text)
    left, top, right, bottom = map(float, found.groups()) if found else (1.0,) * 4
    if left + right >= 1 or top + bottom >= 1:
        raise ImageError(
            "a border must be left:top:right:bottom, shares of the image's sides, some of the image in it",
            found=repr(text),
            remedy="for example border=0.1:0:0.1:0",
        )
    return left, top, right, bottom
