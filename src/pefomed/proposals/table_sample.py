"""The first rows of a table, and what their columns hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pefomed.errors import DataError
from pefomed.files.format import CELLS, Format
from pefomed.files.rows import is_number, read_table
from pefomed.files.tables import form_of
from pefomed.mapping.paths import ABSENT, at
from pefomed.proposals.names import ANSWER, CHOICE, IMAGE, QUESTION, plain
from pefomed.samples.owners import is_owner

ROWS = 500
"""Rows that are looked at."""

FEW = 20
"""Different values of a column that results may be grouped by."""


@dataclass(frozen=True)
class TableSample:
    """What was looked at of a table."""

    path: Path
    rows: list[dict[str, Any]]
    whole: bool
    """Whether these are all rows."""
    header: tuple[str, ...] = ()
    """The names for a table whose first line is a row, or whose rows go on; empty for one with names."""
    _values: dict[str, list[Any]] = field(default_factory=dict, repr=False)

    @property
    def headless(self) -> bool:
        """Whether what should be names are cells: one is a number or a question."""
        names = [] if self.header or not self.rows else list(self.rows[0])
        return len(names) > 1 and any(is_number(name) or name.rstrip().endswith("?") for name in names)

    @property
    def columns(self) -> list[str]:
        """Return the columns, and the paths into those that hold objects."""
        return list(dict.fromkeys(name for row in self.rows for name in _names(row, "", 0)))

    def values(self, column: str) -> list[Any]:
        """Return what a column holds, without empty cells."""
        if column not in self._values:
            found = [value_at(row, column) for row in self.rows]
            self._values[column] = [value for value in found if not is_empty(value)]
        return self._values[column]

    def texts(self, column: str) -> list[str]:
        """Return what a column holds as texts; nothing for one that holds lists or objects."""
        values = self.values(column)
        return (
            []
            if any(isinstance(one, list | dict) for one in values)
            else [str(one).strip() for one in values]
        )

    def said(self, column: str) -> str:
        """Return what a column is called where people read it, with its number of values."""
        different = len(set(self.texts(column)))
        return f"{column} ({different:,} different value{'' if different == 1 else 's'})"


def look(path: Path, header: tuple[str, ...] = (), records: str | None = None) -> TableSample:
    """Return the first rows of a table.

    Args:
        header: names for the columns of a table whose first line is a row.
        records: where in a JSON file its rows are.

    Raises:
        DataError: it cannot be read.
    """
    try:
        rows = read_first(path, ROWS + 1, Format(header=header, records=records))
    except DataError:
        if header or form_of(path) != CELLS or not (open_ended := _open_ended(path)):
            raise
        return look(path, open_ended)
    found = TableSample(path, rows[:ROWS], len(rows) <= ROWS, header)
    if found.headless:
        return look(path, tuple(f"column_{number}" for number in range(1, len(rows[0]) + 1)))
    return found


def read_first(path: Path, rows: int, how: Format = Format()) -> list[dict[str, Any]]:  # noqa: B008
    """Return the first rows of a table.

    Raises:
        DataError: it cannot be read.
    """
    return [row for _, row in itertools.islice(read_table(path, how), rows)]


def _open_ended(path: Path) -> tuple[str, ...]:
    """Return made-up names for a text without a header whose rows differ in length; none if it is none."""
    try:
        rows = read_first(path, ROWS, Format(header=("all...",)))
    except DataError:
        return ()
    width = min((len(row["all"]) for row in rows), default=0)
    if width < 2 or not any(len(row["all"]) > width for row in rows):
        return ()
    first = rows[0]["all"]
    if len(first) == width and any(plain(name) in (*IMAGE, *QUESTION, *ANSWER) for name in first):
        return (*first[:-1], f"{first[-1]}...")
    return (*(f"column_{number}" for number in range(1, width)), f"column_{width}...")


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """Return the value of a column, or at a path into it; None where there is none."""
    found = at(row, path)
    return None if found is ABSENT else found


def is_empty(value: Any) -> bool:
    """Return whether a cell holds nothing."""
    return value is None or value != value or value == [] or (isinstance(value, str) and not value.strip())


def is_text(looked: TableSample, column: str) -> bool:
    """Return whether a column holds texts that are not only numbers, and not whose an image is."""
    texts = looked.texts(column)
    return bool(texts) and not is_owner(column) and not all(is_number(text) for text in texts)


def first_value(looked: TableSample, *columns: str) -> str:
    """Return what the first row that has it would give; of owners nothing."""
    if any(is_owner(name) for name in columns):
        return "whose it is; its values are not shown"
    for row in looked.rows:
        found = [str(value_at(row, name)).strip() for name in columns if not is_empty(value_at(row, name))]
        if found:
            return f"the first would be {' '.join(found)[:60]!r}"
    return "it is empty"


def _names(row: Mapping[str, Any], before: str, depth: int) -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            value = value[0]  # a path goes through the list
        if isinstance(value, Mapping) and value and depth < _DEPTH and not CHOICE.fullmatch(name):
            yield from _names(value, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}"


_DEPTH = 3
