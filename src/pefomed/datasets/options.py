"""Every option of a loader, taken from the loader itself: signature, docstring, and the fields of its tables.

A loader says what its options mean in the section `Args:` of its docstring; a table (a pydantic model, a
dataclass or a TypedDict) in the text below each field. Nothing of it is written a second time.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import itertools
import re
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from pathlib import PurePath
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pefomed.datasets import loader
from pefomed.mapping.skip import rules_of
from pefomed.recipe.kinds import bare, kind, limits


@dataclass(frozen=True)
class Option:
    """One option of a loader, or one field of a table that is an option."""

    name: str
    """As in a recipe; `columns.image` for a table's field, `skip[].column` for one of a list of tables."""
    kind: str
    """The type, its choices and its range in words."""
    choices: tuple[Any, ...]
    """The values that are allowed, where these are few."""
    required: bool
    default: Any
    """As a recipe would write it; None if there is none to write."""
    meaning: str
    tables: tuple[type, ...] = ()
    """The tables that a value may be."""
    inside: str = ""
    """How a field of these tables is named behind the option's name: `.`, `[].` or `.KEY.`"""


def options_of(name: str) -> list[Option]:
    """Return every option of a loader, each table's fields behind it, with dotted names.

    A table that occurs again is not gone into again: its option's meaning says where its fields are.

    Args:
        name: as in a recipe, `package.module:function` too.

    Raises:
        RecipeError: there is no such loader.
    """
    return list(_with_fields(direct_options(loader(name)), "", {}))


def direct_options(load: Callable[..., Any]) -> list[Option]:
    """Return the options of a loader without the fields of its tables."""
    said = arguments(inspect.getdoc(load) or "")
    hints = _hints(load)
    found = []
    for parameter in list(inspect.signature(load).parameters.values())[2:]:
        field = FieldInfo.from_annotation(hints.get(parameter.name, Any))
        meaning = field.description or said.get(parameter.name, "")
        default = MISSING if parameter.default is parameter.empty else parameter.default
        if parameter.kind is parameter.VAR_KEYWORD:
            meaning = meaning or "any other option, passed on as it is."
            found.append(_option(f"**{parameter.name}", field, None, meaning))
        else:
            found.append(_option(parameter.name, field, default, meaning))
    return found


def fields_of(table: type) -> list[Option]:
    """Return the fields of a table without those of the tables in it."""
    texts = _texts_below(table)
    return [
        _option(name, field, default, field.description or texts.get(own, ""))
        for own, name, field, default in _fields(table)
    ]


def arguments(docstring: str) -> dict[str, str]:
    """Return what the section `Args:` of a docstring says of each argument, each as one line.

    `validate_share, test_share: the split` says it of both.
    """
    section = re.search(r"^Args:\n((?:[ \t]+\S.*\n?|[ \t]*\n)+)", inspect.cleandoc(docstring), re.MULTILINE)
    if section is None:
        return {}
    found: dict[str, str] = {}
    for part in re.split(r"^(?=\S)", textwrap.dedent(section[1]), flags=re.MULTILINE):
        names, colon, text = part.partition(":")
        for name in names.split(",") if colon else ():
            plain = name.partition("(")[0].strip().lstrip("*")
            found[plain] = " ".join(text.split())
    return found


def _with_fields(options: list[Option], before: str, seen: dict[type, str]) -> Iterator[Option]:
    for option in options:
        name = before + option.name
        again = [seen[table] for table in option.tables if table in seen]
        meaning = option.meaning
        if again:
            meaning = f"{meaning} Fields as of `{again[0]}`.".strip()
        yield dataclasses.replace(option, name=name, meaning=meaning)
        new = [table for table in option.tables if table not in seen]
        seen.update(dict.fromkeys(new, name))
        for table in new:
            yield from _with_fields(fields_of(table), name + option.inside, seen)


def _fields(table: type) -> Iterator[tuple[str, str, FieldInfo, Any]]:
    """Yield each field's name, its name in a recipe, its type and its default (MISSING if it has none)."""
    if issubclass(table, BaseModel):
        for name, field in table.model_fields.items():
            default = (
                MISSING
                if field.is_required()
                else field.get_default(call_default_factory=True, validated_data={})
            )
            yield name, field.alias or name, field, default
        return
    hints = _hints(table)
    if dataclasses.is_dataclass(table):
        for each in dataclasses.fields(table):
            made = each.default if each.default_factory is MISSING else each.default_factory()
            yield each.name, each.name, FieldInfo.from_annotation(hints.get(each.name, Any)), made
        return
    required = getattr(table, "__required_keys__", ())
    for name, hint in hints.items():
        yield name, name, FieldInfo.from_annotation(hint), MISSING if name in required else None


def _option(name: str, field: FieldInfo, default: Any, meaning: str) -> Option:
    # A type that is written in several ways says in a word what it is.
    extra = field.json_schema_extra
    told = str(extra.get("kind", "")) if isinstance(extra, dict) else ""
    kinds = _kinds(field)
    if kinds:
        told = f"list of {', '.join(f'`{each}`' for each in kinds)} or table"
    tables: dict[type, str] = {}
    for table, inside in _tables_in(field.annotation, "."):
        tables.setdefault(table, inside)
    return Option(
        name,
        told
        or kind(Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation)
        + limits(field.metadata),
        kinds or tuple(_choices(field.annotation)),
        default is MISSING,
        None if default is MISSING else _written(default),
        meaning[:1].upper() + meaning[1:],
        tuple(tables),
        next(iter(tables.values()), ""),
    )


def _kinds(field: FieldInfo) -> tuple[str, ...]:
    """Return which rows the loader itself leaves out by name, of all that there are; none for other types."""
    for rule in field.metadata:
        check: Any = getattr(rule, "func", None)
        if getattr(check, "func", check) is rules_of:
            return tuple(inspect.signature(check).parameters["kinds"].default)
    return ()


def _tables_in(annotation: Any, inside: str) -> Iterator[tuple[type, str]]:
    annotation = bare(annotation)
    origin = get_origin(annotation)
    if isinstance(annotation, type) and origin is None:
        if (
            issubclass(annotation, BaseModel)
            or dataclasses.is_dataclass(annotation)
            or typing.is_typeddict(annotation)
        ):
            yield annotation, inside
        return
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inside = ".KEY."
    elif isinstance(origin, type) and issubclass(origin, tuple | list | set | frozenset):
        inside = "[]."
    for inner in get_args(annotation):
        yield from _tables_in(inner, inside)


def _choices(annotation: Any) -> Iterator[Any]:
    """Yield the values of the Literals and enumerations in a type."""
    annotation = bare(annotation)
    if get_origin(annotation) is typing.Literal:
        yield from get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        yield from (one.value for one in annotation)
    else:
        for inner in get_args(annotation):
            yield from _choices(inner)


def _written(default: Any) -> Any:
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", exclude_defaults=True)
    if dataclasses.is_dataclass(default) and not isinstance(default, type):
        return {}
    if isinstance(default, enum.Enum):
        return default.value
    if isinstance(default, tuple | list | set | frozenset):
        return [_written(one) for one in default]
    if isinstance(default, Mapping):
        return {str(key): _written(value) for key, value in default.items()}
    if default is None or isinstance(default, bool | int | float | str):
        return default
    return str(default) if isinstance(default, PurePath) else repr(default)


def _hints(of: Any) -> dict[str, Any]:
    """Return the types that are written at a function or class; of one that names an unknown type none."""
    try:
        return typing.get_type_hints(of, include_extras=True)
    except (NameError, TypeError):  # somebody's own loader, whose types are for type checkers only
        return {}


def _texts_below(table: type) -> dict[str, str]:
    """Return the texts below the fields of a class and of those that it is made from, each as one line."""
    found: dict[str, str] = {}
    for part in reversed(table.__mro__):
        if part.__module__.split(".")[0] in ("builtins", "pydantic", "typing"):
            continue
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
        except (OSError, SyntaxError, TypeError):  # made by code: there is no text
            continue
        lines = body.body if isinstance(body, ast.ClassDef) else []
        for field, below in itertools.pairwise(lines):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = below.value if isinstance(below, ast.Expr) else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found[field.target.id] = " ".join(text.value.split())
    return found
