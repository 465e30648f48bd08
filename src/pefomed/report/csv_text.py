"""A sheet as CSV (RFC 4180): numbers as they are, shares in [0, 1], each with its interval and n.

Group values and names of raters come from strangers' files: no text is a formula (`spreadsheet_text`).
"""

from __future__ import annotations

import csv
import io

from pefomed.files.spreadsheet_text import spreadsheet_text
from pefomed.report.figures import Cell
from pefomed.report.sheet import Entry, Sheet, handed_on


def csv_text(sheet: Sheet) -> str:
    """Return the sheet as CSV, one line a row; beside a column stand its `low`, `high` and `n`, if any."""
    sheet = handed_on(sheet)
    cells = [_cells(sheet, place) for place in range(len(sheet.columns))]
    with_interval = [any(cell.low is not None for cell in column) for column in cells]
    with_n = [any(cell.n for cell in column) for column in cells]
    head = list(sheet.labels)
    for column, interval, n in zip(sheet.columns, with_interval, with_n, strict=True):
        head += [column.key]
        head += [f"{column.key} low", f"{column.key} high"] if interval else []
        head += [f"{column.key} n"] if n else []
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(map(spreadsheet_text, head))
    for line in sheet.lines:
        row = [spreadsheet_text(label) for label in line.labels]
        for entry, interval, n in zip(line.entries, with_interval, with_n, strict=True):
            row += _fields(entry, interval, n)
        writer.writerow(row)
    return buffer.getvalue()


def _cells(sheet: Sheet, place: int) -> list[Cell]:
    entries = [line.entries[place] for line in sheet.lines]
    return [entry for entry in entries if isinstance(entry, Cell)]


def _fields(entry: Entry, interval: bool, n: bool) -> list[str]:
    width = 1 + 2 * interval + n
    if not isinstance(entry, Cell):
        return [spreadsheet_text(entry or ""), *[""] * (width - 1)]
    fields = [_number(entry.value)]
    fields += [_number(entry.low), _number(entry.high)] if interval else []
    return fields + ([str(entry.n) if entry.n else ""] if n else [])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
