"""What a field takes, in the words of the references: its type, its range, its default."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pefomed.schema import OneOf


def kind(annotation: Any) -> str:
    """Return the type of a field: `list of text`; of a Literal its choices. Models are tables."""
    if names := _names(annotation):
        return ", ".join(f"`{name}`" for name in names)
    annotation = bare(annotation)
    if annotation is Any or annotation is object:
        return "anything"
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(one) for one in inner if one is not type(None)))
    if origin is tuple and inner[-1] is not Ellipsis:
        same = set(inner) == {inner[0]}
        each = f"each a {kind(inner[0])}" if same else ", ".join(kind(one) for one in inner)
        return f"list of {len(inner)}, {each}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {kind(inner[1])}"
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return f"list of {kind(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    if isinstance(annotation, type):
        return next((word for known, word in _WORDS if issubclass(annotation, known)), "table")
    return str(annotation)


def limits(metadata: Iterable[Any]) -> str:
    """Return the range that a field's constraints say: ` > 0, ≤ 1`; empty for none."""
    words = [
        f"{sign} {getattr(rule, name):g}"
        for rule in metadata
        for name, sign in _SIGNS.items()
        if getattr(rule, name, None) is not None
    ]
    return " " + ", ".join(words) if words else ""


def toml(value: Any) -> str:
    """Return a default as it would be written in a recipe, in one line."""
    import tomli_w

    if isinstance(value, Mapping) and not value:
        return "{}"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {toml(each)}' for name, each in value.items())} }}"
    shown = list(value) if isinstance(value, tuple) else value
    # tomli_w writes lists over several lines: one line is meant here.
    text = tomli_w.dumps({"x": shown}).removeprefix("x = ").strip()
    return " ".join(text.split()).replace("[ ", "[").replace(", ]", "]")


def bare(annotation: Any) -> Any:
    """Return a type without its `Annotated`, its alias or its NewType."""
    while True:
        if get_origin(annotation) is typing.Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif isinstance(annotation, type) and _container(annotation) is not None:
            annotation = _container(annotation)
        else:
            return annotation


def _names(annotation: Any) -> Sequence[str]:
    """Return the names of tasks that a text may be, none if it may be any."""
    rules = get_args(annotation)[1:] if get_origin(annotation) is typing.Annotated else ()
    return next((rule.func.names for rule in rules if isinstance(getattr(rule, "func", None), OneOf)), ())


def _container(annotation: type) -> Any:
    """Return what a class of its own is a list or table of: `tuple[str, ...]`; None if it is no such."""
    bases = getattr(annotation, "__orig_bases__", ())
    known = (tuple, list, dict, set, frozenset)
    return next((base for base in bases if get_origin(base) in known), None)


_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_WORDS: tuple[tuple[type, str], ...] = (
    (str, "text"), (bool, "true, false"), (int, "whole number"), (float, "number"),
    (tuple, "list"), (list, "list"), (dict, "table"),
)  # fmt: skip
