"""The arms of a recipe: named changes of it, each trained and scored beside the recipe as it stands.

    [arms.small_steps]
    "stages.0.batch_tokens" = 280

    [arms.seed_1]
    seed = 1

A key is a field's path as `--set` takes it; a table in a table without dots (`[arms.x.model.lora]`) is the
same, key by key. The arms are no part of the experiment: a run's own recipe does not hold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pefomed.errors import RecipeError, named, nearest
from pefomed.recipe.sections import Recipe
from pefomed.recipe.shipped import find_recipe
from pefomed.recipe.toml import load, read_toml

BASE = "base"
"""What the recipe as it stands is called among its arms."""

STAGES = ("none", "stage-1", "stage-2", "both")
"""What the arms are called that are made of a recipe's stages: no arm of a file may be."""


def load_arms(path: Path, overrides: dict[str, Any] | None = None) -> dict[str, Recipe]:
    """Return the recipe of each arm by the arm's name, in the file's order; empty if the file has no arm.

    Args:
        overrides: changes of the recipe that all arms begin from; an arm's own come after them.

    Raises:
        RecipeError: an arm has an odd name, changes nothing or changes the run's name, or makes a recipe
            that is not valid; the arm is named.
    """
    path = find_recipe(Path(path))
    tables = read_toml(path).get("arms", {})
    if not isinstance(tables, dict):
        raise RecipeError(f"{path}: `arms` is no table", remedy='write [arms.NAME] and under it "seed" = 1')
    return {name: _recipe_of(path, name, table, overrides or {}) for name, table in tables.items()}


def choose_arms(arms: Mapping[str, Recipe], names: tuple[str, ...]) -> dict[str, Recipe]:
    """Return the arms of these names, all of them if none is named.

    Raises:
        RecipeError: there is no such arm.
    """
    for name in names:
        if name not in arms:
            raise RecipeError(f"the recipe has no arm {name!r}", remedy=nearest(name, arms))
    return {name: arm for name, arm in arms.items() if name in names or not names}


def _recipe_of(path: Path, name: str, table: Any, overrides: dict[str, Any]) -> Recipe:
    if not _NAME.fullmatch(name) or name in (BASE, *STAGES):
        raise RecipeError(
            f"{path}: an arm cannot be called {name!r}",
            remedy=f"use a-z, 0-9, `_`, `-` and `.`, and none of {', '.join((BASE, *STAGES))}",
        )
    changes = dict(_changes(table)) if isinstance(table, dict) else {}
    if not changes:
        raise RecipeError(
            f"{path}: the arm {name!r} changes nothing",
            remedy=f'write under [arms.{name}] what it changes, e.g. "stages.0.lr" = 1e-4',
        )
    if "name" in changes:
        raise RecipeError(f"{path}: the arm {name!r} changes the run's name", remedy="leave `name` out of it")
    with named(f"arm {name!r}"):
        recipe = load(path, {**overrides, **changes})
    said = ", ".join(f"{key} = {value}" for key, value in changes.items())
    return recipe.model_copy(update={"name": f"{recipe.name}-{name}", "description": f"Arm {name}: {said}."})


def _changes(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        # A key with dots is the path of a field, whose value may well be a table.
        if isinstance(value, dict) and "." not in key:
            yield from _changes(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
