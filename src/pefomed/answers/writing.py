"""How a run writes boxes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pefomed.boxes import BoxFormat, BoxReading, Resizing, Writing
from pefomed.boxes.notation import BoxNotation
from pefomed.boxes.spelling import Spelling
from pefomed.recipe import Recipe
from pefomed.recipe.family import family_of
from pefomed.schema import Box


def writing_of(recipe: Recipe | None) -> Writing:
    """Return how a run writes boxes; without recipe 100 rounded bins of the image itself."""
    if recipe is None:
        return Writing(given=True)
    if recipe.model.family is not None:
        return Writing(FamilyBoxes(recipe))
    return Writing(_papers(recipe), Resizing(recipe.model.resize, recipe.model.image_size))


class FamilyBoxes:
    """The boxes of a family, which is imported when the first of them is written or read.

    Scoring without boxes needs neither its module nor torch.
    """

    def __init__(self, recipe: Recipe):
        self._recipe = recipe

    def boxes(self, boxes: Sequence[Box]) -> str:
        return self._form.boxes(boxes)

    def phrase(self, phrase: str, boxes: Sequence[Box]) -> str:
        return self._form.phrase(phrase, boxes)

    def read(self, text: str) -> BoxReading:
        return self._form.read(text)

    @property
    def spelling(self) -> Spelling | None:
        return getattr(self._form, "spelling", None)

    @cached_property
    def _form(self) -> BoxNotation:
        found: BoxNotation | None = family_of(self._recipe.model).boxes()
        return _papers(self._recipe) if found is None else found


def _papers(recipe: Recipe) -> BoxFormat:
    return BoxFormat(recipe.prompt.box_bins, recipe.prompt.box_rounding)
