"""Exact match by group: one table per meta key whose rows hold a bar with interval and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pefomed.report import bars
from pefomed.report.figures import PRIMARY, Cell, cell_of, kind_of, mark_of, of_split, system_label
from pefomed.schema import Score

_KINDS = ("blind", "floor")


@dataclass(frozen=True)
class GroupRow:
    value: str
    cell: Cell
    bar: Markup
    floors: list[Cell | None]


@dataclass(frozen=True)
class GroupTable:
    key: str
    floors: list[tuple[str, str]]
    """`(kind, label)` of the systems that have a column beside ours."""
    rows: list[GroupRow]
    """Those with most items first."""


def group_tables(scores: Sequence[Score], dataset: str, split: str) -> list[GroupTable]:
    """Return one table of exact match per meta key."""
    mine = [s for s in of_split(scores, dataset, split) if s.metric == PRIMARY and "=" in s.group]
    keys = dict.fromkeys(_key(score) for score in mine if score.system == "model")
    return [_group_table(key, [score for score in mine if _key(score) == key]) for key in keys]


def _key(score: Score) -> str:
    return score.group.partition("=")[0]


def _group_table(key: str, scores: Sequence[Score]) -> GroupTable:
    systems = list(dict.fromkeys(score.system for score in scores if kind_of(score.system) in _KINDS))
    systems.sort(key=lambda system: _KINDS.index(kind_of(system)))
    ours = sorted((score for score in scores if score.system == "model"), key=lambda score: -score.n)
    return GroupTable(
        key=key,
        floors=[(kind_of(system), system_label(system)) for system in systems],
        rows=[_row(score, [s for s in scores if s.group == score.group], systems) for score in ours],
    )


def _row(ours: Score, scores: Sequence[Score], systems: Sequence[str]) -> GroupRow:
    by_system = {score.system: score for score in scores}
    floors = [by_system.get(system) for system in systems]
    marks = [mark_of(score) for score in floors if score]
    cell, value = cell_of(ours), ours.group.partition("=")[2]
    said = [f"{value}: {cell.text}, interval {cell.interval or 'none'}", *(label for _, _, label in marks)]
    return GroupRow(
        value=value,
        cell=cell,
        bar=bars.bar(ours.value, ours.low, ours.high, marks, "; ".join(said)),
        floors=[cell_of(score) if score else None for score in floors],
    )
