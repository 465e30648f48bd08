"""Rows of JSON and JSON Lines: objects in a list, or one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.data.readers.files import json_value
from pefomed.data.readers.format import Format
from pefomed.data.readers.lines import binary_lines
from pefomed.errors import DataError, nearest


def read_listed(path: Path, how: Format) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each object of a JSON list, place as in `answers.json, record 12`.

    Raises:
        DataError: the file is missing, not UTF-8, or not such a list.
    """
    text = "\n".join(binary_lines(path, how.encoding))
    try:
        rows = json_value(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not JSON", found=error.msg) from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{path} is not JSON that can be read", found=str(error)) from None
    rows = _at(rows, how.records, path) if how.records else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{path}: expected a list of objects",
            found=type(rows).__name__ if not isinstance(rows, list) else "a list of something else",
            remedy='write it as [{"id": ..., "answer": ...}, ...], or one object a line in a .jsonl file',
        )
    for number, row in enumerate(rows, 1):
        yield f"{path}, record {number}", row


def read_lines(path: Path, how: Format) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each line with a JSON object, place as in `answers.jsonl, line 12`.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is no object.
    """
    # Only "\n" ends a record: JSON text may hold other line separators.
    for number, line in enumerate(binary_lines(path, how.encoding), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json_value(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{place}: not JSON", found=f"{error.msg} at column {error.colno}") from None
        except (RecursionError, ValueError) as error:
            raise DataError(f"{place}: not JSON that can be read", found=str(error)) from None
        if not isinstance(row, dict):
            raise DataError(f"{place}: expected an object", found=type(row).__name__)
        yield place, row


def _at(value: Any, records: str, path: Path) -> Any:
    """Return what a dotted path leads to; a key that holds dots itself wins."""
    rest = records
    while rest:
        key, _, after = (rest, "", "") if isinstance(value, dict) and rest in value else rest.partition(".")
        if not isinstance(value, dict) or key not in value:
            raise DataError(
                f"{path}: nothing at `records = {records!r}`",
                found=f"no key {key!r}",
                remedy=nearest(key, value) if isinstance(value, dict) else "correct `records`",
            )
        value, rest = value[key], after
    return value
