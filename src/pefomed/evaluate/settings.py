"""The `[evaluate]` section that a run folder was made with."""

from __future__ import annotations

from pathlib import Path

from pefomed import recipe
from pefomed.recipe import Evaluate


def settings_of(run: Path) -> Evaluate:
    """Return the section of the recipe in `run`; the defaults where there is none (somebody else's answers).

    Raises:
        RecipeError: the recipe is not valid.
    """
    path = run / "recipe.toml"
    return recipe.load(path).evaluate if path.exists() else Evaluate()
