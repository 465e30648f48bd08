"""A way to write boxes: the papers' (`text.BoxFormat`) or a family's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pefomed.boxes.reading import BoxReading
from pefomed.boxes.spelling import Spelling
from pefomed.schema import Box


class BoxNotation(Protocol):
    """How boxes stand in a model's answers, as fractions of what it sees."""

    def boxes(self, boxes: Sequence[Box]) -> str:
        """Return boxes as text, in the order given; of none, that there is none."""

    def phrase(self, phrase: str, boxes: Sequence[Box]) -> str:
        """Return a phrase and, behind it, its boxes."""

    def read(self, text: str) -> BoxReading:
        """Return what an answer says about boxes; whatever the text, it never raises."""

    @property
    def spelling(self) -> Spelling | None:
        """How it is spelled; None where no grammar can be had of it, and boxes are decoded as any text."""


def mark_of(form: BoxNotation, phrase: str) -> str:
    """Return what stands in an answer before the boxes of a phrase."""
    return form.phrase(phrase, ()).removesuffix(form.boxes(()))
