"""Rows of CSV, TSV, JSON Lines, JSON, Parquet and Arrow tables, each with its place for error messages.

A table is read as a stream: memory holds one row (of Parquet and Arrow: one batch), not the file; but for a
JSON object with all rows in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.files.cells import read_cells
from pefomed.files.files import check_fields
from pefomed.files.format import COLUMNAR, LINES, OBJECTS, TAR, WORKBOOK, Format
from pefomed.files.json_rows import read_json_rows
from pefomed.files.tables import files_of, form_of, kind_of
from pefomed.files.tar_rows import read_tar

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
        from pefomed.files.columnar import read_columnar

        return itertools.chain.from_iterable(map(read_columnar, files_of(path)))
    if form == TAR:
        return itertools.chain.from_iterable(map(read_tar, files_of(path)))
    if form == WORKBOOK:
        from pefomed.files.workbook import read_workbook

        return read_workbook(path, how)
    if form in (OBJECTS, LINES):
        return read_json_rows(path, how, lines=form == LINES)
    return read_cells(path, _USUAL.get(kind_of(path), ","), how)


def read_published(path: Path, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the (place, row) of `read_table` of a published file, whose rows all have `fields`.

    Raises:
        DataError: as `read_table`, or a field is absent.
    """
    for place, row in read_table(path):
        check_fields(place, row, fields)
        yield place, row


def is_number(text: str) -> bool:
    """Return whether a cell's text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
