"""Rows of JSON and JSON Lines: objects in a list, one a line, or in one of the shapes that pandas writes.

A file that is one object is read as rows where it can be meant in one way alone:

    {"id": ["1", "2"], "answer": ["yes", "no"]}            a list for each column
    {"id": {"0": "1", "1": "2"}, "answer": {...}}          the same, as `DataFrame.to_json` writes it
    {"columns": [...], "data": [[...], ...]}               `orient="split"`
    {"q1": {"answer": "yes"}, "q2": {...}}                 records by their ids: column `id`
    {"train": [{...}, ...], "test": [{...}, ...]}          a list for each split: column `split`

A list below a key is named by `Format.records`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, json_kind, listed, nearest
from pefomed.files.files import json_remedy, json_value
from pefomed.files.format import Format
from pefomed.files.json_stream import WHOLE_LIMIT, JsonText
from pefomed.files.lines import binary_lines, text_pieces
from pefomed.files.split_names import seems_split

Placed = Iterator[tuple[str, dict[str, Any]]]


def read_json_rows(path: Path, how: Format, lines: bool) -> Placed:
    """Yield (place, row) for each object, place as in `a.json, record 12` or `a.jsonl, line 12`.

    Args:
        lines: whether the file is said to be JSON Lines; it is looked at what it is.

    Raises:
        DataError: the file is missing, in another encoding, no JSON, or holds something else than rows.
    """
    text = JsonText(path, text_pieces(path, how.encoding))
    first = text.next()
    if first == "[" and not how.records:
        yield from _listed(text)
    elif lines and not how.records:
        yield from _lines(path, how)
    elif first == "":
        if not lines:
            raise DataError(f"{path} is empty", remedy="write it as [{...}, ...]")
    else:
        whole = text.value(WHOLE_LIMIT)
        if isinstance(whole, dict) and text.next() == "{" and not how.records:
            yield from _lines(path, how)
            return
        if text.next():
            raise text.wrong("the end")
        rows = _rows(_at(whole, how.records, path) if how.records else whole, path)
        for number, row in enumerate(rows, 1):
            yield _placed(path, number, row)


def _placed(path: Path, number: int, row: Any) -> tuple[str, dict[str, Any]]:
    place = f"{path}, record {number}"
    if not isinstance(row, dict):
        raise DataError(
            f"{path}: expected a list of objects",
            found=f"record {number} is {json_kind(row)}",
            remedy=_REMEDY,
        )
    return place, row


_REMEDY = 'write it as [{"id": ..., "answer": ...}, ...], or one object a line in a .jsonl file'


def _listed(text: JsonText) -> Placed:
    text.take("[")
    number = 0
    while number or text.next() != "]":
        number += 1
        yield _placed(text.path, number, text.value())
        if not text.take(","):
            break
    if not text.take("]"):
        raise text.wrong("a comma or a bracket")
    if text.next():
        raise text.wrong("the end")


def _lines(path: Path, how: Format) -> Placed:
    # Only "\n" ends a record: JSON text may hold other line separators.
    for number, line in enumerate(binary_lines(path, how.encoding), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json_value(line)
        except json.JSONDecodeError as error:
            found = f"{error.msg} at column {error.colno}"
            raise DataError(f"{place}: not JSON", found=found, remedy=json_remedy(error)) from None
        except (RecursionError, ValueError) as error:
            raise DataError(f"{place}: not JSON that can be read", found=str(error)) from None
        if not isinstance(row, dict):
            raise DataError(f"{place}: expected an object", found=json_kind(row))
        yield place, row


def _rows(value: Any, path: Path) -> Iterator[Any]:
    """Yield the rows of a whole value, see above."""
    if isinstance(value, list):
        yield from value
        return
    values = list(value.values()) if isinstance(value, dict) else []
    if any(map(_is_rows, values)) and all(
        (_is_rows(each) or each == []) and seems_split(key) for key, each in value.items()
    ):
        for key, rows in value.items():
            yield from ({"split": key, **row} for row in rows)
    elif {"columns", "data"} <= (value.keys() if values else set()) <= {"columns", "index", "data"}:
        yield from (dict(zip(value["columns"], row, strict=True)) for row in _matrix(value, path))
    elif (
        len(values) > 1 and all(isinstance(each, list) for each in values) and not any(map(_is_rows, values))
    ):
        yield from _of_columns(value, path)
    # One object alone with a list in it is a list below two keys, rather than one record.
    elif _are_objects(values) and (len(values) > 1 or not any(_lists_in(value, "", 3))):
        if all(list(each) == [str(n) for n in range(len(each))] for each in values):
            yield from _of_columns({key: list(each.values()) for key, each in value.items()}, path)
        else:
            for key, row in value.items():
                yield {"key" if "id" in row else "id": key, **row}
    else:
        raise _no_rows(value, path)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _are_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, dict) and each for each in values)


def _matrix(value: Mapping[str, Any], path: Path) -> list[list[Any]]:
    names, rows = value["columns"], value["data"]
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(name, str) for name in names):
        for number, row in enumerate(rows, 1):
            if not isinstance(row, list) or len(row) != len(names):
                raise DataError(f"{path}, record {number}: expected {len(names)} cells", found=str(row)[:80])
        return rows
    raise _no_rows(value, path)


def _of_columns(columns: Mapping[str, list[Any]], path: Path) -> Iterator[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        found = listed([f"{name!r} {length:,}" for name, length in lengths.items()])
        raise DataError(f"{path}: expected columns of the same length", found=found)
    for cells in zip(*columns.values(), strict=True):
        yield dict(zip(columns, cells, strict=True))


def _no_rows(value: Any, path: Path) -> DataError:
    paths = list(_lists_in(value, "", 3))
    if not paths:
        found = (
            f"an object with the keys {listed(list(value))}" if isinstance(value, dict) else str(value)[:40]
        )
        return DataError(f"{path}: expected a list of objects", found=found, remedy=_REMEDY)
    return DataError(
        f"{path}: expected a list of objects, and found one below a key",
        found=listed([f"{count:,} at {where!r}" for where, count in paths]),
        remedy=f'say which is meant: `records = "{paths[0][0]}"`',
    )


def _lists_in(value: Any, where: str, depth: int) -> Iterator[tuple[str, int]]:
    """Yield the dotted path and the length of each list of objects in an object."""
    for key, inner in value.items() if isinstance(value, dict) and depth else ():
        path = f"{where}.{key}" if where else key
        if _is_rows(inner):
            yield path, len(inner)
        yield from _lists_in(inner, path, depth - 1)


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
