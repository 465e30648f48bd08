"""What openpyxl does not say of a sheet that it streams: its merged cells, and whether there are formulas."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RANGES_LIMIT = 100_000
"""Most merged ranges of a sheet that are looked at; more are no table."""


@dataclass
class SheetLayout:
    """A sheet's merged ranges; rows are given from above."""

    has_formulas: bool
    ranges: Sequence[tuple[int, int, int, int]] = ()
    """First row, first column, last row, last column; rows and columns count from 1; by their first rows."""
    _next: int = 0
    _open: list[tuple[tuple[int, int, int, int], Any]] = field(default_factory=list)

    def filled(self, number: int, values: Sequence[Any]) -> list[Any]:
        """Return the values of row `number`, with that of a merged range in each of its cells."""
        cells = list(values)
        while self._next < len(self.ranges) and self.ranges[self._next][0] <= number:
            one = self.ranges[self._next]
            self._next += 1
            if one[0] == number and one[1] <= len(cells):
                self._open.append((one, cells[one[1] - 1]))
        self._open = [(one, value) for one, value in self._open if one[2] >= number]
        for (_, left, _, right), value in self._open:
            for column in range(left - 1, min(right, max(len(cells), left))):
                if column == len(cells):
                    cells.append(None)
                if column < len(cells) and cells[column] is None:
                    cells[column] = value
        return cells


def layout_of(path: Path, part: str) -> SheetLayout:
    """Return what the part of a workbook with a sheet says; it is read as a stream."""
    ranges: set[tuple[int, int, int, int]] = set()
    has_formulas, before = False, b""
    with zipfile.ZipFile(path) as packed, packed.open(part.lstrip("/")) as file:
        while piece := file.read(2**20):
            text = before + piece
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            for match in _MERGED.finditer(text):
                if len(ranges) < RANGES_LIMIT:
                    first, last = _column(match[1]), _column(match[3])
                    ranges.add((int(match[2]), first, int(match[4]), last))
            before = text[-_OVERLAP:]
    return SheetLayout(has_formulas, sorted(ranges))


_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s+ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_OVERLAP = 100  # bytes of a tag


def _column(letters: bytes) -> int:
    """Return a column's number: 1 of A, 27 of AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
