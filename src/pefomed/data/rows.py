"""Rows of CSV, TSV and JSON Lines tables, each with its place for error messages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.data.files import read_text
from pefomed.errors import DataError, nearest

SUFFIXES = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".jsonl": "", ".ndjson": ""}
"""Known endings and what stands between their cells."""


def read_table(path: Path, delimiter: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row, place as in `answers.csv, line 12`.

    Args:
        delimiter: what stands between cells; by default as `SUFFIXES` says.

    Raises:
        DataError: the file is missing, not UTF-8, of an unknown kind, or a row is malformed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{path} is no table that can be read",
            found=f"the ending {path.suffix!r}",
            remedy=nearest(path.suffix, SUFFIXES),
        )
    text = read_text(path)
    separator = delimiter or SUFFIXES[path.suffix.lower()]
    return _cells(path, text, separator) if separator else _lines(path, text)


def is_number(text: str) -> bool:
    """Return whether a cell's text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
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


def _lines(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    # Only "\n" ends a record: JSON text may hold other line separators.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{place}: not JSON", found=f"{error.msg} at column {error.colno}") from None
        if not isinstance(row, dict):
            raise DataError(f"{place}: expected an object", found=type(row).__name__)
        yield place, row
