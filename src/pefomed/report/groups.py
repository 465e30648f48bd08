"""Results by group: one table per meta key whose rows hold a bar with interval, floors and judgements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from pefomed.evaluation.seen_images import KEY
from pefomed.metrics.lookup import metric_of, table
from pefomed.report import bars
from pefomed.report.figures import (
    IOU,
    OVERALL,
    PRIMARY,
    Cell,
    cell_of,
    is_judged,
    kind_of,
    mark_of,
    metric_title,
    of_split,
    short_label,
    system_label,
)
from pefomed.schema import Score

_KINDS = ("blind", "floor", "ceiling", "published")

FIRST = (
    "category", KEY, "answer_type", "question_type", "content_type", "phrase_type", "image_organ", "location",
    "modality",
)  # fmt: skip
"""Keys whose tables stand open, in this order: leaked or not, then those of the published tables."""

FEW = 10
"""Figures of fewer items are shown pale."""


@dataclass(frozen=True)
class GroupRow:
    value: str
    cells: list[Cell | None]
    """Our model under each of the table's measures, the main one first."""
    bar: Markup
    floors: list[Cell | None]

    @property
    def cell(self) -> Cell:
        first = self.cells[0]
        assert first is not None  # a row is made from its main measure
        return first


@dataclass(frozen=True)
class GroupTable:
    key: str
    measures: list[tuple[str, str]]
    """`(metric, title)`: exact match, then judges and human raters; or IoU, then other metrics of boxes."""
    floors: list[tuple[str, str]]
    """`(kind, label)` of the systems to compare with, those without an image first; ticks of the bar, and
    columns where there is room."""
    rows: list[GroupRow]
    """Those with most items first."""
    shorts: list[str]
    """One or two words for each of `floors`."""
    totals: list[GroupRow] = field(default_factory=list)
    """The mean over the groups, where there is one, and over all items."""

    @property
    def metric(self) -> str:
        """The main measure."""
        return self.measures[0][0]


def group_tables(scores: Sequence[Score], dataset: str, split: str, main: str = PRIMARY) -> list[GroupTable]:
    """Return one table of the metric `main` per meta key, those of the published tables first."""
    mine = [score for score in of_split(scores, dataset, split) if "=" in score.group]
    mine = [score for score in mine if score.metric == main or is_judged(score.metric)]
    tables = []
    for key in _keys(mine, main):
        chosen = [score for score in mine if _key(score) == key]
        judged = dict.fromkeys(s.metric for s in chosen if s.system == "model" and s.metric != main)
        tables.append(_group_table(key, chosen, [main, *judged], _KINDS[:2]))
    return tables


def box_group_tables(scores: Sequence[Score], dataset: str, split: str) -> list[GroupTable]:
    """Return one table of the boxes' IoU per meta key, that of the categories first and with its means."""
    mine = of_split(scores, dataset, split)
    there = {score.metric for score in mine}
    measures = [IOU, *(name for name, metric in table().items() if metric.by_group and name in there)]
    tables = []
    for key in _keys([score for score in mine if "=" in score.group], IOU):
        chosen = [score for score in mine if "=" in score.group and _key(score) == key]
        of_key = _group_table(key, [score for score in chosen if score.metric in measures], measures, _KINDS)
        of_key.totals.extend(_totals(mine, key, of_key, measures))
        tables.append(of_key)
    return tables


def _keys(scores: Sequence[Score], metric: str) -> list[str]:
    keys = dict.fromkeys(_key(s) for s in scores if s.system == "model" and s.metric == metric)
    return sorted(keys, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))


def _key(score: Score) -> str:
    return score.group.partition("=")[0]


def _group_table(
    key: str, scores: Sequence[Score], measures: Sequence[str], kinds: Sequence[str]
) -> GroupTable:
    systems = _systems(scores, measures[0], kinds)
    ours = [score for score in scores if score.system == "model" and score.metric == measures[0]]
    return GroupTable(
        key=key,
        measures=[(metric, metric_title(metric)) for metric in measures],
        floors=[(kind_of(system), system_label(system)) for system in systems],
        rows=[
            _row(
                s.group.partition("=")[2],
                [each for each in scores if each.group == s.group],
                measures,
                systems,
            )
            for s in sorted(ours, key=lambda score: -score.n)
        ],
        shorts=[short_label(system) for system in systems],
    )


def _systems(scores: Sequence[Score], metric: str, kinds: Sequence[str]) -> list[str]:
    systems = dict.fromkeys(s.system for s in scores if s.metric == metric and kind_of(s.system) in kinds)
    return sorted(systems, key=lambda system: kinds.index(kind_of(system)))


def _totals(scores: Sequence[Score], key: str, table: GroupTable, measures: Sequence[str]) -> list[GroupRow]:
    overall = [score for score in scores if score.group == OVERALL]
    systems = _systems([score for score in scores if _key(score) == key], IOU, _KINDS)
    macro = [
        score.model_copy(update={"metric": metric_of(score.metric).mean_of})
        for score in overall
        if metric_of(score.metric).mean_of and key == "category"
    ]
    named = (("Mean of categories", macro), ("All phrases", overall))
    return [
        _row(name, chosen, measures, systems)
        for name, chosen in named
        if any(score.metric == IOU and score.system == "model" for score in chosen)
    ]


def _row(value: str, scores: Sequence[Score], measures: Sequence[str], systems: Sequence[str]) -> GroupRow:
    main = measures[0]
    by_system = {score.system: score for score in scores if score.metric == main}
    by_metric = {score.metric: score for score in scores if score.system == "model"}
    ours, floors = by_metric[main], [by_system.get(system) for system in systems]
    marks = [mark_of(score) for score in floors if score]
    marks += [
        ("human" if metric_of(metric).rater == "human" else "judge", by_metric[metric].value,
         f"{metric_title(metric)}: {cell_of(by_metric[metric]).text}")
        for metric in measures[1:]
        if is_judged(metric) and metric in by_metric
    ]  # fmt: skip
    cell = cell_of(ours)
    said = [f"{value}: {cell.text}, interval {cell.interval or 'none'}", *(label for _, _, label in marks)]
    return GroupRow(
        value=value,
        cells=[cell_of(by_metric[metric]) if metric in by_metric else None for metric in measures],
        bar=bars.bar(ours.value, ours.low, ours.high, marks, "; ".join(said)),
        floors=[cell_of(score) if score else None for score in floors],
    )
