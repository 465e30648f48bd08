"""A value inside a row by its path: `metadata.patientid`, `objects.bbox`, `conversations.0.value`.

A name that is there exactly counts first, also one with dots. A list takes a number (`-1` is its last), or is
gone through: `objects.bbox` of a list of objects is the list of their boxes. What is empty on the way is
empty, and so is a place behind a list's end; a name that is not there is not found. A text that is an object
or a list, as tables keep them, is taken for that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from pefomed.files.files import json_value

ABSENT: Any = object()
"""What `at` returns where there is no such name."""


def at(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at `path`, None for an empty one, `ABSENT` if a name is not there."""
    return row[path] if path in row else _within(row, path.split("."))


def known_paths(row: Mapping[str, Any]) -> list[str]:
    """Return the columns of a row and the paths into them, the first hundred."""
    found: list[str] = []
    _collect(row, "", 0, found)
    return found


def unpacked_text(value: Any) -> Any:
    """Return the object or list that a text is, as JSON or as Python writes it; anything else as it is."""
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] + text[-1:] not in ("{}", "[]") or len(text) > _LONGEST:
        return value
    for read in (json_value, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, dict | list):
            return found
    return value


_LONGEST = 100_000  # characters
_DEPTH, _MOST = 5, 100
_PLACE = re.compile(r"-?\d{1,6}")


def _within(value: Any, names: list[str]) -> Any:
    if not names:
        return value
    value = unpacked_text(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, Mapping):
        # A key may itself hold a dot: the longest that is there is meant.
        for end in range(len(names), 0, -1):
            key = ".".join(names[:end])
            if key in value:
                found = _within(value[key], names[end:])
                if found is not ABSENT:
                    return found
        return ABSENT
    if not isinstance(value, list):
        return ABSENT
    if _PLACE.fullmatch(names[0]):
        place = int(names[0])
        return _within(value[place], names[1:]) if -len(value) <= place < len(value) else None
    each = [_within(one, names) for one in value]
    if each and all(one is ABSENT for one in each):
        return ABSENT
    # JSON leaves away what is empty: a name that others of the list have.
    return [None if one is ABSENT else one for one in each]


def _collect(value: Any, before: str, depth: int, found: list[str]) -> None:
    if depth > _DEPTH:
        return
    value = unpacked_text(value)
    if isinstance(value, list):
        value = value[0] if value and isinstance(value[0], Mapping) else None
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if len(found) >= _MOST:
            return
        name = f"{before}{key}"
        found.append(name)
        _collect(inner, f"{name}.", depth + 1, found)
