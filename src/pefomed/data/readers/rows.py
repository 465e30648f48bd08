"""Rows of CSV, TSV, JSON Lines, JSON, Parquet and Arrow tables, each with its place for error messages.

A table is read as a stream: memory holds one row (of Parquet and Arrow: one batch), not the file; but for a
JSON list. What stands between the cells of a CSV file is found from its first rows.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.data.readers.files import check_fields, json_value
from pefomed.data.readers.lines import binary_lines, text_lines
from pefomed.errors import DataError, nearest

SUFFIXES = {
    ".csv": ",", ".tsv": "\t", ".tab": "\t", ".jsonl": "", ".ndjson": "", ".json": "",
    ".parquet": "", ".arrow": "",
}  # fmt: skip
"""Known endings and what mostly stands between their cells. All but the last two may be gzipped."""

DELIMITERS = ",;\t|"
"""What may stand between cells."""

_COLUMNAR = (".parquet", ".arrow")


def read_table(path: Path, delimiter: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row, place as in `answers.csv, line 12`.

    Images inside a Parquet or Arrow table are written to the cache; the row holds their paths.

    Args:
        delimiter: what stands between cells; by default found from the first rows.

    Raises:
        DataError: the file is missing, not UTF-8, of an unknown kind, or a row is malformed.
    """
    kind = kind_of(path)
    if kind not in SUFFIXES:
        raise DataError(
            f"{path} is no table that can be read",
            found=f"the ending {path.suffix!r}",
            remedy=f"save it as CSV or JSON Lines; {nearest(path.suffix, SUFFIXES)}",
        )
    if kind in _COLUMNAR:
        from pefomed.data.readers.columnar import read_columnar

        return read_columnar(path)
    if kind == ".json":
        return _listed(path)
    return _cells(path, SUFFIXES[kind], delimiter) if SUFFIXES[kind] else _objects(path)


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


def _cells(path: Path, usual: str, delimiter: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = text_lines(path)
    first = list(itertools.islice(lines, _LOOKED_AT))
    said = _SAID.fullmatch(first[0]) if first else None
    if said:  # Excel's own first line, `sep=;`
        first, delimiter = first[1:], delimiter or said[1]
    delimiter = delimiter or _found_delimiter(first, usual)
    try:
        reader = csv.reader(itertools.chain(first, lines), delimiter=delimiter, strict=True)
    except (TypeError, ValueError):
        raise DataError(
            f"{path}: the cells of a table are separated by one character", found=repr(delimiter)
        ) from None
    before = 1 if said else 0
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) != len(header):
            raise DataError(f"{path}: two columns have the same name", found=", ".join(header))
        for cells in reader:
            if not cells:
                continue
            place = f"{path}, line {reader.line_num + before}"
            if len(cells) != len(header):
                raise DataError(
                    f"{place}: expected {len(header)} cells",
                    found=f"{len(cells)}: {delimiter.join(cells)[:80]}",
                    remedy="put cells that hold the delimiter into double quotes, or set `delimiter`",
                )
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num + before}: malformed",
            found=str(error),
            remedy="look for an unpaired double quote",
        ) from None


_LOOKED_AT = 20  # lines
_SAID = re.compile(r"\ufeff?\"?sep=([^\r\n])\"?\s*", re.IGNORECASE)


def _found_delimiter(lines: Sequence[str], usual: str) -> str:
    """Return what splits every one of the first rows into the same number of cells, the most of them."""
    best, most = usual, 1
    for delimiter in (usual, *DELIMITERS.replace(usual, "")):
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            continue
        # The last of them may go on behind the lines that are looked at.
        widths = widths[:-1] if len(lines) == _LOOKED_AT else widths
        if len(set(widths)) == 1 and widths[0] > most:
            best, most = delimiter, widths[0]
    if most > 1 or not lines:
        return best
    # Rows that differ: the error about them shall be about the delimiter that the header has.
    counts = [(lines[0].count(delimiter), delimiter == usual, delimiter) for delimiter in DELIMITERS]
    return max(counts)[2]


def _listed(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = "\n".join(binary_lines(path))
    try:
        rows = json_value(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not JSON", found=error.msg) from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{path} is not JSON that can be read", found=str(error)) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{path}: expected a list of objects",
            found=type(rows).__name__ if not isinstance(rows, list) else "a list of something else",
            remedy='write it as [{"id": ..., "answer": ...}, ...], or one object a line in a .jsonl file',
        )
    for number, row in enumerate(rows, 1):
        yield f"{path}, record {number}", row


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
