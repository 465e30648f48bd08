"""Results by group: one table per meta key whose rows hold a bar with interval, floors and judgements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pefomed.report import bars
from pefomed.report.figures import (
    PRIMARY,
    Cell,
    cell_of,
    is_judged,
    kind_of,
    mark_of,
    metric_title,
    of_split,
    system_label,
)
from pefomed.schema import Score

_KINDS = ("blind", "floor")

FIRST = ("answer_type", "question_type", "content_type", "phrase_type", "image_organ", "location", "modality")
"""Keys whose tables stand open, in this order: those of the published tables."""


@dataclass(frozen=True)
class GroupRow:
    value: str
    cells: list[Cell | None]
    """Our model under each of the table's measures, exact match first."""
    bar: Markup
    floors: list[Cell | None]

    @property
    def cell(self) -> Cell:
        first = self.cells[0]
        assert first is not None  # a row is made from its exact match
        return first


@dataclass(frozen=True)
class GroupTable:
    key: str
    measures: list[tuple[str, str]]
    """`(metric, title)`: exact match, then judges and human raters."""
    floors: list[tuple[str, str]]
    """`(kind, label)` of the systems without an image; ticks of the bar, and columns where there is room."""
    rows: list[GroupRow]
    """Those with most items first."""


def group_tables(scores: Sequence[Score], dataset: str, split: str) -> list[GroupTable]:
    """Return one table per meta key, those of the published tables first."""
    mine = [
        score
        for score in of_split(scores, dataset, split)
        if "=" in score.group and (score.metric == PRIMARY or is_judged(score.metric))
    ]
    keys = dict.fromkeys(_key(s) for s in mine if s.system == "model" and s.metric == PRIMARY)
    order = sorted(keys, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))
    return [_group_table(key, [score for score in mine if _key(score) == key]) for key in order]


def _key(score: Score) -> str:
    return score.group.partition("=")[0]


def _group_table(key: str, scores: Sequence[Score]) -> GroupTable:
    exact = [score for score in scores if score.metric == PRIMARY]
    judged = dict.fromkeys(s.metric for s in scores if s.system == "model" and s.metric != PRIMARY)
    systems = list(dict.fromkeys(score.system for score in exact if kind_of(score.system) in _KINDS))
    systems.sort(key=lambda system: _KINDS.index(kind_of(system)))
    ours = sorted((score for score in exact if score.system == "model"), key=lambda score: -score.n)
    measures = [PRIMARY, *judged]
    return GroupTable(
        key=key,
        measures=[(metric, metric_title(metric)) for metric in measures],
        floors=[(kind_of(system), system_label(system)) for system in systems],
        rows=[_row(s, [one for one in scores if one.group == s.group], measures, systems) for s in ours],
    )


def _row(ours: Score, scores: Sequence[Score], measures: Sequence[str], systems: Sequence[str]) -> GroupRow:
    by_system = {score.system: score for score in scores if score.metric == PRIMARY}
    by_metric = {score.metric: score for score in scores if score.system == "model"}
    floors = [by_system.get(system) for system in systems]
    judged = [by_metric[metric] for metric in measures[1:] if metric in by_metric]
    marks = [mark_of(score) for score in floors if score]
    marks += [
        ("human" if score.metric.startswith("human") else "judge", score.value,
         f"{metric_title(score.metric)}: {cell_of(score).text}")
        for score in judged
    ]  # fmt: skip
    cell, value = cell_of(ours), ours.group.partition("=")[2]
    said = [f"{value}: {cell.text}, interval {cell.interval or 'none'}", *(label for _, _, label in marks)]
    return GroupRow(
        value=value,
        cells=[cell_of(by_metric[metric]) if metric in by_metric else None for metric in measures],
        bar=bars.bar(ours.value, ours.low, ours.high, marks, "; ".join(said)),
        floors=[cell_of(score) if score else None for score in floors],
    )
