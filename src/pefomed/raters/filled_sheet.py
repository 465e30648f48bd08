"""A filled-in rating sheet as rows: from a workbook, or from the CSV that an office program saved of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from pefomed.errors import DataError
from pefomed.files.rows import read_table
from pefomed.raters.workbook_file import ROWS, open_workbook

WORKBOOKS = (".xlsx", ".xlsm")
TEXTS = (".csv", ".tsv", ".tab")
"""Endings of what office programs save of one sheet."""

_SHEETS_OF_OTHERS = (".ods", ".fods", ".xls", ".xlsb", ".numbers", ".gsheet", ".sxc")


@dataclass(frozen=True)
class FilledSheet:
    """The rating sheet of a file."""

    header: tuple[Any, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]
    """Each row's number, the header's being 1, and its cells."""
    about: dict[str, Any] | None
    """What the file says of itself; a CSV says nothing."""

    def cell(self, column: int, row: int) -> str:
        """Return what an office program calls the cell, `F4`."""
        return f"{get_column_letter(column + 1)}{row}"


def filled_sheet(path: Path, header: Sequence[str], rating: str, about: str) -> FilledSheet | str:
    """Return the sheet with the ratings, or in words why it is not read.

    Args:
        header: the columns it is to have. Of a workbook it is the sheet that has them, whatever it is called.
        rating: what the sheet was called when it was given out.
        about: what the sheet is called that says whose ratings these are.
    """
    if path.suffix.lower() in TEXTS:
        return _text(path)
    if path.suffix.lower() in _SHEETS_OF_OTHERS:
        return f"{path.suffix} is not read; save it as .xlsx or .csv"
    book = open_workbook(path)
    if isinstance(book, str):
        return book
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    like = [title for title, sheet in sheets.items() if _first(sheet, len(header)) == tuple(header)]
    name = rating if rating in sheets else like[0] if len(like) == 1 else None
    if name is None:
        return f"the sheet {rating!r} is missing; sheets: {', '.join(sheets)}"
    rows = sheets[name].iter_rows(min_row=2, max_col=len(header), values_only=True)
    said = None
    if about in sheets:
        cells = sheets[about].iter_rows(max_col=2, values_only=True)
        said = {str(row[0]): row[1] for row in cells if len(row) > 1}
    return FilledSheet(_first(sheets[name], len(header)), tuple(enumerate(rows, 2)), said)


def sheets_in(folder: Path) -> list[Path]:
    """Return the files of `folder` that may hold a sheet, in a form that is read or not."""
    known = (*WORKBOOKS, *TEXTS, *_SHEETS_OF_OTHERS)
    return [
        path
        for path in sorted(folder.iterdir())
        # Names that office programs give to their lock files begin so.
        if path.suffix.lower() in known and path.is_file() and not path.name.startswith(("~$", "."))
    ]


def _first(sheet: Any, width: int) -> tuple[Any, ...]:
    return next(sheet.iter_rows(max_row=1, max_col=width, values_only=True), ())


def _text(path: Path) -> FilledSheet | str:
    header: tuple[Any, ...] = ()
    rows = []
    try:
        for number, (_, row) in enumerate(read_table(path), 2):
            if number > ROWS:
                return f"more than {ROWS:,} rows"
            header = header or tuple(row)
            rows.append((number, tuple(row.values())))
    except DataError as error:
        problem = error.problem.removeprefix(str(path)).lstrip(",: ")
        return "; ".join(part for part in (problem, error.found, error.remedy) if part)
    return FilledSheet(header, tuple(rows), None) if rows else "no rows"
