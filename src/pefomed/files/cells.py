"""Rows of a text whose lines are cells: CSV, TSV and their kin, with or without a header.

What stands between the cells is found from the first rows. Columns without a name are called by their
number (`column 7`), if they hold anything.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, listed
from pefomed.files.format import Format
from pefomed.files.lines import LINE_LIMIT, text_lines
from pefomed.files.row_ends import counted_on, open_name
from pefomed.progress import note

DELIMITERS = ",;\t|"
"""What may stand between cells."""

# For cells with a whole picture; the csv module's own limit is 128 KiB, and one for all who use it.
csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT))


_SHOWN = 300
"""Most signs of a header that an error repeats."""


def read_cells(path: Path, usual: str, how: Format) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row, place as in `answers.csv, line 12`; every cell is text.

    Args:
        usual: what mostly stands between the cells of such a file.

    Raises:
        DataError: the file is missing or in another encoding, or a row is malformed.
    """
    return named_rows(path, lambda: _rows(path, usual, how), how)


def named_rows(
    path: Path, rows_of: Callable[[], Iterator[tuple[str, list[Any]]]], how: Format
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for the (place, cells) that `rows_of` yields, the header first.

    Args:
        rows_of: reads the table from its beginning; more than once if columns have no name.

    Raises:
        DataError: two columns have the same name, or a row has more or fewer cells than there are columns.
    """
    rows = rows_of()
    header = list(how.header) or [str(name).strip() for name in next(rows, ("", []))[1]]
    rest = open_name(how.header)  # the name of a list of all cells from the last column on
    header = [*header[:-1], rest] if rest is not None else header
    unnamed = {number for number, name in enumerate(header) if not name}
    if unnamed:
        filled = {number for _, cells in rows_of() for number in unnamed & _filled(cells, len(header))}
        header = [f"column {n + 1}" if n in filled else name for n, name in enumerate(header)]
    names = [name for name in header if name]
    if len(set(names)) != len(names):
        raise DataError(
            f"{path}: two columns have the same name",
            found=", ".join(names),
            remedy="rename one of them in the file" if not how.header else "correct `header`",
        )
    optional, short = counted_on(header), 0
    for number, (place, cells) in enumerate(rows):
        if how.header and not number and _is_header(cells, header, rest is not None):
            if rest is not None:
                continue
            raise DataError(f"{place}: the table has the given header itself", remedy="leave out `header`")
        if rest is not None and len(cells) >= len(header) - 1:
            last = [cell for cell in cells[len(header) - 1 :] if str(cell).strip()]
            yield place, dict(zip(header, [*cells[: len(header) - 1], last], strict=True))
            continue
        missing, more = header[len(cells) :], [cell for cell in cells[len(header) :] if cell != ""]
        if more or any(name and name not in optional for name in missing):
            raise _wrong_width(place, header, cells, how)
        short += any(missing)
        row = itertools.chain(cells[: len(header)], [""] * len(missing))
        yield place, {name: cell for name, cell in zip(header, row, strict=True) if name}
    if short:
        ends = [name for name in header if name in optional]
        note(
            f"{path.name}: {short:,} row{'s end' if short > 1 else ' ends'} before the last of the columns"
            f" {listed(ends)}, empty there"
        )


def _is_header(cells: Sequence[Any], header: Sequence[str], is_open: bool) -> bool:
    own = [str(cell).strip() for cell in cells]
    return (own[: len(header)] if is_open else own) == header


def _wrong_width(place: str, header: Sequence[str], cells: Sequence[Any], how: Format) -> DataError:
    names = ", ".join(f'"{name}"' for name in header)
    remedies = ["put cells that hold the delimiter into double quotes", "set `delimiter`"]
    if how.header:
        remedies.append("correct `header`")
    if len(cells) > len(header):
        last = (
            f' `header = [{names[:-1]}..."]`'
            if len(names) <= _SHOWN
            else " `header`, the last with dots behind it"
        )
        remedies.append(f"say that each row has its own number of the last:{last}")
    return DataError(
        f"{place}: expected {len(header)} cells",
        found=f"{len(cells)}: {' '.join(map(str, cells))[:80]}",
        remedy=", or ".join(remedies),
    )


def _filled(cells: Sequence[Any], width: int) -> set[int]:
    return {number for number, cell in enumerate(cells[:width]) if str(cell).strip()}


def _rows(path: Path, usual: str, how: Format) -> Iterator[tuple[str, list[str]]]:
    lines = text_lines(path, how.encoding)
    first = list(itertools.islice(lines, _LOOKED_AT))
    delimiter, before = how.delimiter, 0
    if first and (said := _SAID.fullmatch(first[0])):  # Excel's own first line, `sep=;`
        first, delimiter, before = first[1:], delimiter or str(said[1]), 1
    is_open = open_name(how.header) is not None
    delimiter = delimiter or _found_delimiter(first, usual, len(how.header), is_open)
    reader = csv.reader(itertools.chain(first, lines), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            # Office programs write rows of nothing but delimiters behind the last one.
            if cells and (len(cells) == 1 or any(cells)):
                yield f"{path}, line {reader.line_num + before}", cells
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num + before}: malformed",
            found=str(error),
            remedy="look for an unpaired double quote",
        ) from None


_LOOKED_AT = 20  # lines
_SAID = re.compile(r"\ufeff?\"?sep=([^\r\n])\"?\s*", re.IGNORECASE)


def _found_delimiter(lines: Sequence[str], usual: str, width: int, is_open: bool) -> str:
    """Return what splits every one of the first rows into the same number of cells, the most of them.

    Args:
        width: how many columns there are; 0 if that is not known.
        is_open: whether a row may have more.
    """
    fitting = []
    for delimiter in DELIMITERS:
        try:
            rows = [cells for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            continue
        # The last of them may go on behind the lines that are looked at.
        rows = rows[:-1] if len(lines) == _LOOKED_AT else rows
        widths = {len(cells) for cells in rows}
        if is_open:
            widths = {width} if widths and min(widths) >= width else {0}
        if len(widths) == 1 and (cells := max(widths)) > 1:
            # What mostly has a space behind it is a mark of a text.
            spaced = sum(cell.startswith(" ") for row in rows for cell in row[1:])
            is_mark = 2 * spaced > sum(len(row) - 1 for row in rows)
            fitting.append((cells == width, not is_mark, cells, delimiter == usual, delimiter))
    if fitting:
        return max(fitting)[-1]
    # Rows that differ: the error about them shall be about the delimiter that the header has.
    counts = [(lines[0].count(each) if lines else 0, each == usual, each) for each in DELIMITERS]
    return max(counts)[2]
