"""The cells of a row of a user's table, each read with the error that names the place and the column."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.data.pictures.addresses import with_view, within
from pefomed.data.readers.rows import is_number
from pefomed.data.readers.unpacked import ImageFile, image_of
from pefomed.data.table_references import references
from pefomed.errors import DataError, nearest

_STAY = "give it relative to the table's folder; the option `images` may name any other folder"


def images(
    row: Mapping[str, Any], column: str, place: str, folder: Path, separator: str, view: str
) -> tuple[str, ...]:
    """Return the paths of a row's images, each with the view it is shown in.

    Raises:
        DataError: there is none, or one leads out of `folder`.
    """
    value = image_of(cell(row, column, place), place)
    if isinstance(value, ImageFile):
        value = [value]
    names = value if isinstance(value, list) else image_names(str(value or ""), separator, folder)
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"{place}: column {column!r} must hold image paths", found=repr(value))
    files = [
        str(name) if isinstance(name, ImageFile) else within(folder, name.strip(), place, _STAY)
        for name in names
        if name.strip()
    ]
    paths = tuple(with_view(file, view) for file in files)
    if not paths:
        raise DataError(f"{place}: no image in column {column!r}", remedy="give a path, or remove the row")
    return paths


def image_names(value: str, separator: str, folder: Path) -> list[str]:
    """Return the names in a cell: what is a file's as a whole is one, whatever it holds."""
    if separator in value and value.strip():
        # `isfile` says no to a name that no file can have, where `Path.is_file` raises.
        return [value] if os.path.isfile(folder / value.strip()) else value.split(separator)
    return [value]


def answers(
    row: Mapping[str, Any], columns: Sequence[str], separator: str, place: str, numbers_as_text: bool
) -> tuple[str, ...]:
    """Return the different answers of a row, at least one; a number only if it is meant.

    Raises:
        DataError: there is none, or one is a number or no text.
    """

    def of(value: Any, column: str) -> str:
        if isinstance(value, list | dict | bool):
            raise DataError(f"{place}: the answer in column {column!r} must be text", found=repr(value))
        found = "" if value is None else str(value).strip()
        if is_number(found) and not numbers_as_text:
            raise DataError(
                f"{place}: the answer in column {column!r} is a number",
                found=found,
                remedy="if it is meant so, set the option `numbers_as_text = true`; if it is a class"
                " number, name the column that holds the words",
            )
        return found

    cell(row, columns[0], place)
    found = references(row, columns, separator, place, of)
    if not found:
        raise DataError(f"{place}: column {columns[0]!r} is empty", remedy="fill it in, or remove the row")
    return found


def filled(row: Mapping[str, Any], column: str, place: str) -> str:
    """Return the text of a cell that must not be empty.

    Raises:
        DataError: it is empty, or there is no such column.
    """
    found = text(row, column, place)
    if not found:
        raise DataError(f"{place}: column {column!r} is empty", remedy="fill it in, or remove the row")
    return found


def text(row: Mapping[str, Any], column: str, place: str) -> str:
    """Return the text of a cell, empty for none.

    Raises:
        DataError: there is no such column.
    """
    value = cell(row, column, place)
    return "" if value is None else str(value).strip()


def cell(row: Mapping[str, Any], column: str, place: str, option: str = "columns") -> Any:
    """Return a cell as it was read.

    Args:
        option: the loader's option that names the column.

    Raises:
        DataError: there is no such column.
    """
    if column not in row:
        raise DataError(
            f"{place}: no column {column!r}",
            remedy=f"correct the option `{option}`; {nearest(column, row)}",
        )
    return row[column]
