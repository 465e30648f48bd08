"""Boxes as text, as MiniGPT-v2 and PFMVG write them: `{<x0><y0><x1><y1>}`, several joined by `<delim>`.

Coordinates are integers 0..bins of the width and height the model sees: round(x * bins), or cut off,
as older checkpoints were trained. A side between whose ends no step lies is written as the step around its
middle, because a box without area says nothing. That there is no box is `{}`: unlike an empty text it is an
answer, which silence, a refusal and a broken box are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pefomed.boxes.marks import tagged_phrase
from pefomed.boxes.reading import BoxReading, read_boxes
from pefomed.boxes.spelling import DELIMITER, DIGITS, NO_BOX, SEPARATORS, Spelling
from pefomed.schema import Box


@dataclass(frozen=True)
class BoxFormat:
    """How boxes become text."""

    bins: int = 100
    rounding: Literal["round", "truncate"] = "round"

    def box(self, box: Box) -> str:
        """Return one box of the square the model sees as text."""
        x0, x1 = self._side(box.x0, box.x1)
        y0, y1 = self._side(box.y0, box.y1)
        before, *after = SEPARATORS
        return before + "".join(
            f"{number}{sign}" for number, sign in zip((x0, y0, x1, y1), after, strict=True)
        )

    def boxes(self, boxes: Sequence[Box]) -> str:
        """Return several boxes as text, in the order given; of none, that there is none."""
        if not boxes:
            return NO_BOX
        return DELIMITER.join(self.box(box) for box in boxes)

    def phrase(self, phrase: str, boxes: Sequence[Box]) -> str:
        """Return a phrase marked and followed by its boxes."""
        return tagged_phrase(phrase) + self.boxes(boxes)

    def read(self, text: str) -> BoxReading:
        """Return what an answer says about boxes; whatever the text, it never raises."""
        return read_boxes(text, self.bins)

    @property
    def spelling(self) -> Spelling:
        """How it is spelled, for decoding that writes nothing else."""
        return DIGITS

    def _side(self, low: float, high: float) -> tuple[int, int]:
        start, end = self._step(low), self._step(high)
        if start < end:
            return start, end
        middle = min(math.floor((low + high) / 2 * self.bins), self.bins - 1)
        return middle, middle + 1

    def _step(self, value: float) -> int:
        # Half a step goes up, on every machine; Python's round would go to the even one.
        return math.floor(value * self.bins + (0.5 if self.rounding == "round" else 0.0))
