"""From an answer's text to boxes of the original image, as its model writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pefomed.boxes.frame import Resizing
from pefomed.boxes.notation import BoxNotation
from pefomed.boxes.plain import read_plain
from pefomed.boxes.reading import BoxReading
from pefomed.boxes.text import BoxFormat
from pefomed.schema import Box


class PlacedBoxes(NamedTuple):
    """Boxes in the original image: preprocessing undone, what lies beyond the image's edge cut off."""

    boxes: tuple[Box, ...]
    outside: int = 0
    """Further boxes that lie in the padding: no area, but wrong where boxes are counted."""
    readable: bool = True
    """Whether it says boxes or that there are none; a text that says neither is no answer."""


@dataclass(frozen=True)
class Writing:
    """How boxes stand in a model's answers."""

    format: BoxNotation = field(default_factory=BoxFormat)
    resizing: Resizing = field(default_factory=Resizing)
    given: bool = False
    """Whether an answer may be the boxes themselves, which no model of ours writes (`boxes.plain`)."""

    def read(self, text: str) -> BoxReading:
        """Return what an answer says about boxes; whatever the text, it never raises."""
        return (read_plain(text) if self.given else None) or self.format.read(text)

    @property
    def steps(self) -> str:
        """In which steps coordinates are written."""
        if isinstance(self.format, BoxFormat):
            return f"{self.format.bins} bins ({self.format.rounding})"
        return "the family's own notation"

    def placed(self, boxes: Iterable[Box], size: tuple[int, int] | None) -> PlacedBoxes:
        """Return boxes of the square that the model sees as boxes of an image of `size` (width, height).

        Raises:
            DataError: images are letterboxed, and the size is not known.
        """
        frame = self.resizing.frame(size)
        in_image = [frame.to_image(box) for box in boxes]
        visible = tuple(box for box in in_image if box is not None)
        return PlacedBoxes(visible, len(in_image) - len(visible))
