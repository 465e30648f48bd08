"""Rows of a sheet of an Excel workbook (.xlsx), read as a stream. Needs openpyxl (`pefomed[excel]`).

Of a formula its value counts, as the program saved it that computed it. Cells are what a CSV of the sheet
would hold, but for numbers, which are numbers; a merged cell's value stands in each of its cells.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, PackageError, listed, nearest
from pefomed.files.cells import named_rows
from pefomed.files.files import missing_file
from pefomed.files.format import Format
from pefomed.files.unzip import RATIO_LIMIT, ZIP_FAULTS
from pefomed.files.workbook_layout import SheetLayout, layout_of
from pefomed.progress import note

PART_LIMIT = 2**31
"""Most bytes that a part of a workbook may unpack to; sheets are streamed."""

STRINGS_LIMIT = 2**27
"""Most bytes of the texts of all cells, and of styles: openpyxl holds them in memory."""

_FAULTS = (*ZIP_FAULTS, ArithmeticError, AssertionError, AttributeError, SyntaxError, TypeError)
"""What openpyxl raises on damaged files; of what is no XML a SyntaxError."""


def read_workbook(path: Path, how: Format) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row of a sheet, place as in `a.xlsx, sheet 'Answers', row 12`.

    Raises:
        DataError: the file is missing, damaged, protected or too large, no sheet or several may be meant, its
            formulas were never computed, or openpyxl is not installed.
    """
    with _damage(path):
        _check(path)
        name, width = _sheet(path, how.sheet)
        yield from named_rows(path, lambda: _rows(path, name, width, how), how)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except DataError:
        raise
    except _FAULTS as error:
        raise DataError(
            f"{path} is no workbook that can be read",
            found=(str(error).splitlines() or [type(error).__name__])[0][:200],
            remedy="if it is protected by a password, remove that; else save it again as .xlsx or CSV",
        ) from None


def _opened(path: Path, formulas: bool) -> Any:
    try:
        from openpyxl import load_workbook
    except PackageError:
        raise
    except ImportError:
        raise DataError(
            "workbooks need openpyxl, which is not installed", remedy="pip install 'pefomed[excel]'"
        ) from None
    return load_workbook(path, read_only=True, data_only=not formulas, keep_links=False)


def _check(path: Path) -> None:
    """Refuse what would take the memory, or declares entities; no office program does."""
    with zipfile.ZipFile(path) as packed:
        for part in packed.infolist():
            held = "/worksheets/" not in part.filename and not part.filename.startswith("xl/media/")
            limit = min(STRINGS_LIMIT if held else PART_LIMIT, RATIO_LIMIT * max(part.compress_size, 2**20))
            if part.file_size > limit:
                raise DataError(
                    f"{path} is too large: at most {limit:,} bytes are read of {part.filename}",
                    found=f"{part.file_size:,}",
                    remedy="save it as CSV",
                )
            if part.filename.endswith((".xml", ".rels")) and _declares(packed, part):
                raise DataError(f"{path} holds XML declarations, which are not read", found=part.filename)


def _declares(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    before = b""
    with packed.open(part) as file:
        while piece := file.read(2**20):
            if b"<!DOCTYPE" in (before + piece).replace(b"\0", b""):
                return True
            before = piece[-32:]
    return False


def _sheet(path: Path, wanted: str | None) -> tuple[str, int]:
    """Return the name of the sheet that is meant, and how many columns it says it has."""
    with contextlib.closing(_opened(path, formulas=False)) as book:
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if wanted is not None:
            if wanted not in sheets:
                raise DataError(f"{path} has no sheet {wanted!r}", remedy=nearest(wanted, sheets))
            return wanted, sheets[wanted].max_column or 0
        shown = [name for name, sheet in sheets.items() if sheet.sheet_state == "visible"]
        filled = [name for name in shown if _holds(sheets[name])] or shown[:1] or list(sheets)[:1]
        if len(filled) != 1:
            raise DataError(
                f"{path} has several sheets" if filled else f"{path} has no sheet with cells",
                found=listed([repr(name) for name in filled], most=20) or None,
                remedy=f"say which is meant: `sheet = {filled[0]!r}`" if filled else None,
            )
        return filled[0], sheets[filled[0]].max_column or 0


def _holds(sheet: Any) -> bool:
    return any(value is not None for row in sheet.iter_rows(values_only=True) for value in row)


def _part(path: Path, name: str) -> str:
    """Return where in the archive a sheet lies."""
    with contextlib.closing(_opened(path, formulas=False)) as book:
        return str(book[name]._worksheet_path)


def _rows(path: Path, name: str, width: int, how: Format) -> Iterator[tuple[str, list[Any]]]:
    """Yield place and cells of each row that holds anything, from the header on."""
    layout = layout_of(path, _part(path, name))
    rows = _filled_rows(path, name, layout, width)
    first = list(itertools.islice(rows, _LOOKED_AT))
    begin = next((n for n, (_, cells) in enumerate(first) if len({*cells} - {""}) > 1), 0)
    if not how.header:
        for place, cells in first[:begin]:
            title = next(cell for cell in cells if cell != "")
            note(f"{place}: {str(title)[:60]!r} stands above the table and is not read")
    yield from itertools.chain(first if how.header else first[begin:], rows)


_LOOKED_AT = 10  # rows in which a header is looked for: titles may stand above it


def _filled_rows(path: Path, name: str, layout: SheetLayout, width: int) -> Iterator[tuple[str, list[Any]]]:
    for number, values in enumerate(_values(path, name, layout), 1):
        cells = [_text(value) for value in layout.filled(number, values)]
        if any(cell != "" for cell in cells):
            yield f"{path}, sheet {name!r}, row {number}", [*cells, *[""] * (width - len(cells))]


def _values(path: Path, name: str, layout: SheetLayout) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row, those of formulas as they were computed."""
    if not layout.has_formulas:
        with _cells(path, name, formulas=False) as rows:
            yield from rows
        return
    looked = False
    for number, (values, formulas) in enumerate(_both(path, name), 1):
        empty = [a is None and b is not None for a, b in zip(values, formulas, strict=False)]
        if not looked and any(empty):
            # An empty text is the value of a formula, too: that all of them are empty says it.
            if not any(a not in (None, b) for values, formulas in _both(path, name)
                       for a, b in zip(values, formulas, strict=False)):  # fmt: skip
                raise DataError(
                    f"{path}, sheet {name!r}, row {number}: a formula without a value",
                    found=str(formulas[empty.index(True)])[:60],
                    remedy="open it in a spreadsheet program and save it; that computes the values",
                )
            looked = True
        yield values


def _both(path: Path, name: str) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    with _cells(path, name, formulas=False) as values, _cells(path, name, formulas=True) as formulas:
        yield from zip(values, formulas, strict=False)


@contextlib.contextmanager
def _cells(path: Path, name: str, formulas: bool) -> Iterator[Iterator[tuple[Any, ...]]]:
    with contextlib.closing(_opened(path, formulas)) as book:
        sheet = book[name]
        sheet.reset_dimensions()  # some programs write wrong ones
        yield sheet.iter_rows(values_only=True)


def _text(value: Any) -> Any:
    """Return a value as a CSV has it, but numbers."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.datetime):
        return str(value.date() if value.time() == datetime.time() else value)
    return value if isinstance(value, int | float | str) else "" if value is None else str(value)
