"""What preprocessing does to an image, done to its boxes and undone.

A box of a record is in fractions of the original image; a box the model reads or writes is in fractions
of the square it sees. `squash` leaves fractions as they are. `letterbox` scales the longer side to the
square and pads the shorter one evenly, in whole pixels: x' = (left + x * width') / side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pefomed.errors import DataError
from pefomed.schema import Box


@dataclass(frozen=True)
class Frame:
    """Where one image lies in the square the model sees, in fractions of the square."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def to_model(self, box: Box) -> Box:
        """Return a box of the image as a box of the square."""
        x0, x1 = (self.left + x * self.width for x in (box.x0, box.x1))
        y0, y1 = (self.top + y * self.height for y in (box.y0, box.y1))
        # The last digit of a product must not push an edge out of the square.
        return Box(x0=x0, y0=y0, x1=min(x1, 1.0), y1=min(y1, 1.0))

    def to_image(self, box: Box) -> Box | None:
        """Return a box of the square as a box of the image, clipped to it; None if it is all padding."""
        x0, x1 = (_clip((x - self.left) / self.width) for x in (box.x0, box.x1))
        y0, y1 = (_clip((y - self.top) / self.height) for y in (box.y0, box.y1))
        return Box(x0=x0, y0=y0, x1=x1, y1=y1) if x0 < x1 and y0 < y1 else None


@dataclass(frozen=True)
class Resizing:
    """How every image becomes a square."""

    resize: Literal["squash", "letterbox"] = "squash"
    side: int = 1
    """Side of the square in pixels; says nothing under `squash`."""

    def frame(self, size: tuple[int, int] | None) -> Frame:
        """Return where an image of `size` (width, height) in pixels lies.

        Raises:
            DataError: the images are letterboxed and the size is not known.
        """
        if self.resize == "squash":
            return Frame()
        if size is None:
            raise DataError(
                "boxes in letterboxed images need the image's width and height, and a sample has none",
                remedy="give `size` with every sample that has boxes, or use resize = 'squash'",
            )
        left, top, width, height = letterbox_place(size, self.side)
        return Frame(left / self.side, top / self.side, width / self.side, height / self.side)


def letterbox_place(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of an image of `size` within its padded square."""
    scale = side / max(size)
    width, height = (max(1, round(length * scale)) for length in size)
    return (side - width) // 2, (side - height) // 2, width, height


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
