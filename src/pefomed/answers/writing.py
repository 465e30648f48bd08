"""How a run writes boxes."""

from __future__ import annotations

from pefomed.boxes import BoxFormat, Resizing, Writing
from pefomed.recipe import Recipe


def writing_of(recipe: Recipe | None) -> Writing:
    """Return how a run writes boxes; without recipe 100 rounded bins of the image itself."""
    if recipe is None:
        return Writing(given=True)
    return Writing(
        BoxFormat(recipe.prompt.box_bins, recipe.prompt.box_rounding),
        Resizing(recipe.model.resize, recipe.model.image_size),
    )
