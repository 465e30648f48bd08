"""Which splits of a data set a stage trains on and validates on; what is for training alone has one."""

from __future__ import annotations

from pefomed.datasets import card
from pefomed.errors import RecipeError
from pefomed.recipe import Recipe, Stage


def trained_splits(recipe: Recipe, stage: Stage, name: str) -> tuple[str, ...]:
    """Return the splits of the data set `name` that the stage trains on.

    Of a data set for training alone it is `split`: what is made from validation images is never trained on.
    """
    return (stage.split,) if _training_only(recipe, name) else (stage.split, *stage.also_train)


def last_trained_splits(recipe: Recipe, name: str) -> tuple[str, ...]:
    """Return the splits that the last stage with the data set `name` trains on; `train` where none has."""
    stage = next((stage for stage in reversed(recipe.stages) if name in stage.data), None)
    return trained_splits(recipe, stage, name) if stage else ("train",)


def validated_split(recipe: Recipe, stage: Stage, name: str) -> str | None:
    """Return the split of the data set `name` that the stage validates on, None if there is none.

    Raises:
        RecipeError: the stage is to validate, and all its data are for training alone.
    """
    if stage.validate_split is None:
        return None
    if all(_training_only(recipe, each) for each in stage.data):
        raise RecipeError(
            f"stage {stage.name!r} has nothing to validate on: its data are for training alone",
            found=f'validate_split = "{stage.validate_split}", data = {", ".join(sorted(stage.data))}',
            remedy="remove `validate_split`, or name a data set beside it",
        )
    return None if _training_only(recipe, name) else stage.validate_split


def used_splits(recipe: Recipe, stage: Stage, name: str) -> tuple[str, ...]:
    """Return all of them, each once."""
    validated = validated_split(recipe, stage, name)
    return tuple(dict.fromkeys([*trained_splits(recipe, stage, name), *([validated] if validated else [])]))


def _training_only(recipe: Recipe, name: str) -> bool:
    about = card(recipe.data[name].loader)
    return about is not None and about.training_only
