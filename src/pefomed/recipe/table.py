"""The reference of every recipe field as Markdown, made from the fields themselves."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo

from pefomed.recipe.changes import Changes
from pefomed.recipe.kinds import kind, limits, toml
from pefomed.recipe.model import Lora, Model
from pefomed.recipe.own_task import OwnTask
from pefomed.recipe.section import Section
from pefomed.recipe.sections import Compute, Dataset, Evaluate, Predict, Prompt, Recipe
from pefomed.recipe.stage import Stage
from pefomed.recipe.threshold import Threshold

TABLES: dict[str, type[Section]] = {
    "(top level)": Recipe,
    "[tasks.NAME]": OwnTask,
    "[model]": Model,
    "[model.lora]": Lora,
    "[prompt]": Prompt,
    "[data.NAME]": Dataset,
    "[[stages]]": Stage,
    "[stages.changes]": Changes,
    "[compute]": Compute,
    "[predict]": Predict,
    "[threshold]": Threshold,
    "[evaluate]": Evaluate,
}
"""Heading of each TOML table -> its fields, in the order of a recipe."""


def markdown() -> str:
    """Return one Markdown table per section: field, type, default, meaning."""
    return "\n\n".join(_table(heading, section) for heading, section in TABLES.items()) + "\n"


def _table(heading: str, section: type[Section]) -> str:
    lines = [
        f"### `{heading}`",
        "",
        (section.__doc__ or "").strip().splitlines()[0],
        "",
        "| field | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in section.model_fields.items():
        if _sections_in(field.annotation):
            continue  # a table of its own
        words = kind(field.annotation) + limits(field.metadata)
        cells = (f"`{name}`", words, _default(field), field.description or "")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    if field.is_required():
        return "**required**"
    if field.default is None:
        return "absent"
    return f"`{toml(field.default)}`"


def _sections_in(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return True
    return any(_sections_in(inner) for inner in get_args(annotation))
