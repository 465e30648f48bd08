"""The reference of every recipe field as Markdown, made from the fields themselves."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pefomed.recipe.section import Section
from pefomed.recipe.sections import (
    Compute,
    Dataset,
    Evaluate,
    Lora,
    Model,
    Predict,
    Prompt,
    Recipe,
)
from pefomed.recipe.stage import Stage

TABLES: dict[str, type[Section]] = {
    "(top level)": Recipe,
    "[model]": Model,
    "[model.lora]": Lora,
    "[prompt]": Prompt,
    "[data.NAME]": Dataset,
    "[[stages]]": Stage,
    "[compute]": Compute,
    "[predict]": Predict,
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
        kind = _type(field.annotation) + _range(field)
        cells = (f"`{name}`", kind, _default(field), field.description or "")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(kind) for kind in inner if kind is not type(None))
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return f"list of {_type(inner[0])}"
        return f"list of {len(inner)}, each a {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    plain = {str: "text", int: "whole number", float: "number", bool: "true, false", Any: "anything"}
    return plain[annotation]


def _range(field: FieldInfo) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    limits = [
        f"{sign} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, sign in signs.items()
        if hasattr(rule, name)
    ]
    return " " + ", ".join(limits) if limits else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        extra = field.json_schema_extra
        return str(extra["default"]) if isinstance(extra, dict) else "**required**"
    if field.default is None:
        return "absent"
    return f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    import tomli_w

    if isinstance(value, dict) and not value:
        return "{}"
    shown = list(value) if isinstance(value, tuple) else value
    # tomli_w writes lists over several lines: one line is meant here.
    text = tomli_w.dumps({"x": shown}).removeprefix("x = ").strip()
    return " ".join(text.split()).replace("[ ", "[").replace(", ]", "]")


def _sections_in(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return True
    return any(_sections_in(inner) for inner in get_args(annotation))
