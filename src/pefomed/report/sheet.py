"""A table of the page as plain rows, from which its CSV and its LaTeX are made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pefomed.files.storage import shortened
from pefomed.machine_paths import without_paths
from pefomed.report.figures import Cell
from pefomed.report.groups import GroupTable
from pefomed.report.tables import ResultTable

Entry = Cell | str | None
"""A number with its interval, a text, or nothing."""


@dataclass(frozen=True)
class Column:
    key: str
    """Its name in the CSV."""
    title: str
    block: str = ""
    """What stands above it and its neighbours of the same block."""


@dataclass(frozen=True)
class SheetLine:
    labels: tuple[str, ...]
    entries: tuple[Entry, ...]
    kind: str = ""
    """`published`, `floor`, `ceiling` and `total` rows are set apart; others may be empty."""


@dataclass(frozen=True)
class Sheet:
    name: str
    """Name of its files: lower-case letters, digits and hyphens."""
    title: str
    labels: tuple[str, ...]
    """Heads of the label columns."""
    columns: tuple[Column, ...]
    lines: list[SheetLine]
    notes: list[str] = field(default_factory=list)


def sheet_name(*parts: str) -> str:
    """Return a file name of `parts` that any system takes: `slake-test-by-organ`."""
    words = [word for part in parts for word in re.findall(r"[a-z0-9]+", part.lower())]
    return shortened("-".join(words)) or "table"


def handed_on(sheet: Sheet) -> Sheet:
    """Return the sheet without paths of this machine, in labels, texts and notes."""
    lines = [
        SheetLine(
            tuple(map(without_paths, line.labels)),
            tuple(without_paths(entry) if isinstance(entry, str) else entry for entry in line.entries),
            line.kind,
        )
        for line in sheet.lines
    ]
    columns = tuple(
        Column(*map(without_paths, (column.key, column.title, column.block))) for column in sheet.columns
    )
    labels, notes = tuple(map(without_paths, sheet.labels)), [*map(without_paths, sheet.notes)]
    return Sheet(sheet.name, without_paths(sheet.title), labels, columns, lines, notes)


def of_results(name: str, title: str, table: ResultTable, notes: Sequence[str]) -> Sheet:
    """Return a result table; `notes` are all footnotes of the page, in their order."""
    blocks = [block for block, count in table.blocks for _ in range(count)]
    columns = [
        Column(f"{head.metric} {head.group.rpartition('=')[2].lower()}", head.title, block)
        for head, block in zip(table.heads, blocks, strict=True)
    ]
    lines = [SheetLine((marked(row.label, row.kind),), tuple(row.cells), row.kind) for row in table.rows]
    numbers = sorted({number for row in table.rows for number in row.notes})
    return Sheet(name, title, ("system",), tuple(columns), lines, [notes[number - 1] for number in numbers])


def of_groups(name: str, title: str, table: GroupTable) -> Sheet:
    """Return a table by group: a line per value, a column per measure, and per floor of the main one."""
    columns = [Column(measure, label, "This model") for measure, label in table.measures]
    block = f"{table.measures[0][1]} of others"
    columns += [Column(f"{table.metric} {label}", marked(label, kind), block) for kind, label in table.floors]
    lines = [SheetLine((row.value,), (*row.cells, *row.floors)) for row in table.rows]
    lines += [SheetLine((row.value,), (*row.cells, *row.floors), "total") for row in table.totals]
    return Sheet(name, title, (table.key,), tuple(columns), lines)


def marked(label: str, kind: str) -> str:
    """Return a system's label with what sets its row apart, for tables without colours."""
    return f"{label} ({kind})" if kind in ("published", "floor", "ceiling") else label


def unique(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Return sheets with distinct names: of equal ones the later get a number."""
    seen: dict[str, int] = {}
    renamed = []
    for sheet in sheets:
        count = seen[sheet.name] = seen.get(sheet.name, 0) + 1
        name = sheet.name if count == 1 else f"{sheet.name}-{count}"
        renamed.append(Sheet(name, sheet.title, sheet.labels, sheet.columns, sheet.lines, sheet.notes))
    return renamed
