"""Rows of CSV, TSV, JSON Lines, Parquet and Arrow tables, each with its place for error messages.

A table is read as a stream: memory holds one row (of Parquet and Arrow: one batch), not the file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.data.readers.files import check_fields, json_value
from pefomed.data.readers.lines import binary_lines, text_lines
from pefomed.errors import DataError, nearest

SUFFIXES = {
    ".csv": ",", ".tsv": "\t", ".tab": "\t", ".jsonl": "", ".ndjson": "", ".parquet": "", ".arrow": ""
}  # fmt: skip
"""Known endings and what stands between their cells. All but the last two may be gzipped: `.csv.gz`."""

_COLUMNAR = (".parquet", ".arrow")


def read_table(path: Path, delimiter: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row, place as in `answers.csv, line 12`.

    Images inside a Parquet or Arrow table are written to the cache; the row holds their paths.

    Args:
        delimiter: what stands between cells; by default as `SUFFIXES` says.

    Raises:
        DataError: the file is missing, not UTF-8, of an unknown kind, or a row is malformed.
    """
    kind = kind_of(path)
    if kind not in SUFFIXES:
        raise DataError(
            f"{path} is no table that can be read",
            found=f"the ending {path.suffix!r}",
            remedy=nearest(path.suffix, SUFFIXES),
        )
    if kind in _COLUMNAR:
        from pefomed.data.readers.columnar import read_columnar

        return read_columnar(path)
    separator = delimiter or SUFFIXES[kind]
    return _cells(path, separator) if separator else _objects(path)


def read_published(path: Path, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the (place, row) of `read_table` of a published file, whose rows all have `fields`.

    Raises:
        DataError: as `read_table`, or a field is absent.
    """
    for place, row in read_table(path):
        check_fields(place, row, fields)
        yield place, row


def kind_of(path: Path) -> str:
    """Return the ending that says how a table is read: `.csv` of `a.csv` and of `a.csv.gz`."""
    inner = Path(path.stem) if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower()


def is_number(text: str) -> bool:
    """Return whether a cell's text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cells(path: Path, delimiter: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        reader = csv.reader(text_lines(path), delimiter=delimiter, strict=True)
    except (TypeError, ValueError):
        raise DataError(
            f"{path}: the cells of a table are separated by one character", found=repr(delimiter)
        ) from None
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) != len(header):
            raise DataError(f"{path}: two columns have the same name", found=", ".join(header))
        for cells in reader:
            if not cells:
                continue
            place = f"{path}, line {reader.line_num}"
            if len(cells) != len(header):
                raise DataError(
                    f"{place}: expected {len(header)} cells",
                    found=f"{len(cells)}: {delimiter.join(cells)[:80]}",
                    remedy="put cells that hold the delimiter into double quotes, or set `delimiter`",
                )
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: malformed",
            found=str(error),
            remedy="look for an unpaired double quote",
        ) from None


def _objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    # Only "\n" ends a record: JSON text may hold other line separators.
    for number, line in enumerate(binary_lines(path), 1):
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
