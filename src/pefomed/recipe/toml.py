"""Reading recipes strictly from TOML, and writing them back with every default spelled out."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from pefomed.errors import RecipeError, nearest
from pefomed.files.storage import usable_paths
from pefomed.recipe.completed import complete, only_data
from pefomed.recipe.section import Section
from pefomed.recipe.sections import Recipe
from pefomed.recipe.shipped import find_recipe


@usable_paths()
def load(path: Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read and validate a recipe; what its file leaves out is written out (see `completed`).

    Args:
        path: a file, or the name of a shipped recipe, e.g. `mini/slake`; a file that exists comes first.
        overrides: dotted keys (`stages.0.lr`) and their values.

    Raises:
        RecipeError: the file is missing, not TOML, has an unknown key or a value out of range.
    """
    path = find_recipe(Path(path))
    raw = complete(_without_arms(path), path)
    for key, value in (overrides or {}).items():
        _override(raw, key, value, path)
    return parse(raw, str(path))


@usable_paths()
def load_data(path: Path) -> Recipe:
    """Read a recipe for its data sets: stages and predictions that its file does not have are not made up.

    Raises:
        RecipeError: see `load`.
    """
    path = find_recipe(Path(path))
    return parse(only_data(_without_arms(path), path), str(path))


def parse(raw: dict[str, Any], origin: str = "recipe") -> Recipe:
    """Validate a recipe given as nested dicts; `origin` is what an error names.

    Raises:
        RecipeError: an unknown key (the nearest known one is named) or a value out of range.
    """
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
    # An unknown key often causes the other complaints (the right key is then missing): show it first.
    detail = next((entry for entry in details if entry["type"] == "extra_forbidden"), details[0])
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        *parents, key = detail["loc"]
        raise RecipeError(
            f"{origin}: unknown key {where!r}",
            found=f"{key} = {detail['input']!r}",
            remedy=nearest(str(key), _fields_at(parents)),
        )
    wrong = detail["msg"].removeprefix("Value error, ")
    if detail["type"] != "missing" and not isinstance(detail["input"], dict):
        wrong = f"{detail['input']!r}: {wrong}"
    raise RecipeError(
        f"{origin}: {where or 'the recipe'} is not valid",
        found=wrong,
        remedy="see docs/recipes.md for every field",
    )


def dumps(recipe: Recipe) -> str:
    """Return the recipe, every default written out, as TOML that `load` reads back to an equal recipe."""
    import tomli_w

    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


@usable_paths()
def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a recipe's file as they stand.

    Raises:
        RecipeError: it cannot be read or is not TOML.
    """
    try:
        # utf-8-sig: editors on Windows put a byte order mark in front, which TOML does not allow.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(
            f"{path} cannot be read", found=error.strerror, remedy="give the path of a .toml file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not a TOML file", found=str(error), remedy="correct it there") from None
    except (RecursionError, ValueError) as error:  # lists in lists, a number of thousands of digits
        raise RecipeError(f"{path} is not TOML that can be read", found=str(error)) from None


def _without_arms(path: Path) -> dict[str, Any]:
    return {key: value for key, value in read_toml(path).items() if key != "arms"}


def _override(raw: dict[str, Any], key: str, value: Any, path: Path) -> None:
    *parents, last = key.split(".")
    here: Any = raw
    try:
        for part in parents:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        here[int(last) if isinstance(here, list) else last] = value
    except (IndexError, ValueError, TypeError, AttributeError):
        raise RecipeError(
            f"{path} has no key {key!r}", remedy="write it as in `stages.0.lr`; stages count from 0"
        ) from None


def _fields_at(parents: list[int | str]) -> list[str]:
    """Return the field names of the section that the keys `parents` lead to."""
    kind: Any = Recipe
    for part in parents:
        if _is_section(kind):
            kind = kind.model_fields[part].annotation
        else:  # `data.slake` or `stages.0`: a name or a number inside dict[str, X] or tuple[X, ...]
            kind = next(inner for inner in get_args(kind) if _is_section(inner))
    return list(kind.model_fields)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)
