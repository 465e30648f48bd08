"""What a recipe's file leaves out: its name, and without `[model]` all that is taken from mini/slake."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pefomed.recipe.shipped import shipped

PATTERN = "mini/slake"
"""The shipped recipe that a file of data sets alone takes its settings from."""


TRAINING_ONLY = ("derived", "slake_derived")
"""Loaders of questions to train on alone, as their cards say; no test split of them is answered."""


def complete(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the tables of a recipe's file with those that it leaves out.

    The name is by default the file's. A recipe without `[model]` gets the model of `mini/slake`, and, where
    it has none of its own, that recipe's prompt, one stage with its settings on all data sets, and
    predictions of each data set's test split, but of what is for training alone. A recipe with a `[model]` is
    taken as it stands.
    """
    data = raw.get("data")
    made = {"name": _name_of(path), **raw}
    if "model" in raw or not isinstance(data, dict) or not data:
        return made
    pattern = tomllib.loads(shipped(PATTERN).read_text(encoding="utf-8"))
    # The pattern's last stage is the task's; which splits a table has is not known before it is read.
    stage = {key: value for key, value in pattern["stages"][-1].items() if key != "validate_split"}
    asked = [name for name, table in data.items() if not _only_trained_on(table)]
    return {
        "model": pattern["model"],
        "prompt": pattern["prompt"],
        "stages": [stage | {"name": "task", "data": dict.fromkeys(data, 1)}],
        "predict": pattern["predict"] | {"data": dict.fromkeys(asked, "test")},
        **made,
    }


def only_data(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the same without stages and predictions that the file does not have: for looking at its data."""
    made = complete(raw, path)
    return {key: value for key, value in made.items() if key not in ("stages", "predict") or key in raw}


def _only_trained_on(table: Any) -> bool:
    return isinstance(table, dict) and table.get("loader") in TRAINING_ONLY


def _name_of(path: Path) -> str:
    """Return the file's name as a recipe's: in lower case, with hyphens for what a name may not hold."""
    return re.sub(r"[^a-z0-9_.-]+", "-", path.stem.lower()).strip("-._") or "recipe"
