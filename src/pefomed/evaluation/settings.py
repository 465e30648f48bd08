"""The `[evaluate]` section that a run folder was made with."""

from __future__ import annotations

from pathlib import Path

from pefomed.recipe import Evaluate
from pefomed.runs import RunFolder


def settings_of(run: Path) -> Evaluate:
    """Return the section of the recipe in `run`; the defaults where there is none (somebody else's answers).

    Raises:
        RecipeError: the recipe is not valid.
    """
    recipe = RunFolder(run).read_recipe()
    return recipe.evaluate if recipe else Evaluate()
