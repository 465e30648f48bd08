"""Rows of CSV, TSV, JSON Lines, JSON, Parquet and Arrow tables, each with its place for error messages.

A table is read as a stream: memory holds one row (of Parquet and Arrow: one batch), not the file; but for a
JSON list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.data.readers.cells import read_cells
from pefomed.data.readers.files import check_fields
from pefomed.data.readers.format import CELLS, COLUMNAR, LINES, OBJECTS, Format
from pefomed.data.readers.json_rows import read_lines, read_listed
from pefomed.errors import DataError, nearest

FORMS = {
    ".csv": CELLS, ".tsv": CELLS, ".tab": CELLS, ".psv": CELLS, ".jsonl": LINES, ".ndjson": LINES,
    ".json": OBJECTS, ".parquet": COLUMNAR, ".arrow": COLUMNAR,
}  # fmt: skip
"""Known endings, and the form of such a table. Texts of all kinds may be gzipped."""

_USUAL = {".tsv": "\t", ".tab": "\t", ".psv": "|"}


def read_table(path: Path, how: Format = Format()) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: B008
    """Yield (place, row) for each row, place as in `answers.csv, line 12`.

    Images inside a Parquet or Arrow table are written to the cache; the row holds their paths.

    Args:
        how: what the file does not say itself.

    Raises:
        DataError: the file is missing, in another encoding, of an unknown kind, or a row is malformed.
    """
    form = form_of(path)
    how.check(f"{path}", form)
    if form == COLUMNAR:
        from pefomed.data.readers.columnar import read_columnar

        return read_columnar(path)
    if form == OBJECTS:
        return read_listed(path, how)
    return read_lines(path, how) if form == LINES else read_cells(path, _USUAL.get(kind_of(path), ","), how)


def read_published(path: Path, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the (place, row) of `read_table` of a published file, whose rows all have `fields`.

    Raises:
        DataError: as `read_table`, or a field is absent.
    """
    for place, row in read_table(path):
        check_fields(place, row, fields)
        yield place, row


def form_of(path: Path) -> str:
    """Return the form of a table by its ending.

    Raises:
        DataError: the ending is unknown.
    """
    if kind_of(path) not in FORMS:
        raise DataError(
            f"{path} is no table that can be read",
            found=f"the ending {path.suffix!r}",
            remedy=f"save it as CSV or JSON Lines; {nearest(path.suffix, FORMS)}",
        )
    return FORMS[kind_of(path)]


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
