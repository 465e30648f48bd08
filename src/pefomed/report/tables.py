"""Result tables: systems by open / closed / overall, every row with the numbers of its footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pefomed.report.figures import (
    OVERALL,
    PRIMARY,
    RATES,
    Cell,
    cell_of,
    is_incomparable,
    kind_of,
    metric_title,
    of_split,
    system_label,
)
from pefomed.schema import Score

COLUMNS = {"answer_type=OPEN": "open", "answer_type=CLOSED": "closed", OVERALL: "overall"}

_ORDER = ("model", "blind", "floor", "other", "published")


@dataclass
class Footnotes:
    """Numbers each distinct sentence in the order of first use, from 1."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


@dataclass(frozen=True)
class Head:
    """A column: its group, and the number of items our model answered in it (0 where it did not)."""

    group: str
    n: int
    first: bool
    """Whether a new metric begins here."""


@dataclass(frozen=True)
class Row:
    kind: str
    """`model`, `blind`, `floor`, `published` or `other`."""
    label: str
    cells: list[Cell | None]
    notes: list[int]
    incomparable: bool


@dataclass(frozen=True)
class ResultTable:
    metrics: list[tuple[str, int]]
    """`(title, number of its columns)`."""
    heads: list[Head]
    rows: list[Row]


def exact_match_table(
    scores: Sequence[Score], dataset: str, split: str, notes: Footnotes
) -> ResultTable | None:
    """Return systems by open / closed / overall for every exact-match column, or None without any."""
    mine = [score for score in _of_columns(scores, dataset, split) if score.metric.startswith(PRIMARY)]
    return _table(mine, notes) if mine else None


def other_tables(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> list[ResultTable]:
    """Return systems by open / closed / overall, one table for every other metric, the rates last."""
    mine = [score for score in _of_columns(scores, dataset, split) if not score.metric.startswith(PRIMARY)]
    metrics = sorted(dict.fromkeys(score.metric for score in mine), key=lambda metric: metric in RATES)
    return [_table([score for score in mine if score.metric == metric], notes) for metric in metrics]


def _of_columns(scores: Sequence[Score], dataset: str, split: str) -> list[Score]:
    return [score for score in of_split(scores, dataset, split) if score.group in COLUMNS]


def _table(scores: Sequence[Score], notes: Footnotes) -> ResultTable:
    metrics = sorted({score.metric for score in scores})
    groups = [group for group in COLUMNS if any(score.group == group for score in scores)]
    asked = {(score.metric, score.group): score.n for score in scores if score.system == "model"}
    columns = [(metric, group) for metric in metrics for group in groups]
    systems = sorted(dict.fromkeys(score.system for score in scores), key=lambda s: _ORDER.index(kind_of(s)))
    return ResultTable(
        metrics=[(metric_title(metric), len(groups)) for metric in metrics],
        heads=[
            Head(COLUMNS[group], asked.get((metric, group), 0), group == groups[0])
            for metric, group in columns
        ],
        rows=[_row(system, [s for s in scores if s.system == system], columns, notes) for system in systems],
    )


def _row(system: str, scores: Sequence[Score], columns: Sequence[tuple[str, str]], notes: Footnotes) -> Row:
    found = {(score.metric, score.group): score for score in scores}
    texts = [score.implementation for score in scores]
    texts += [f"Interval: {score.interval}" for score in scores if score.interval]
    return Row(
        kind=kind_of(system),
        label=system_label(system),
        cells=[cell_of(found[column]) if column in found else None for column in columns],
        notes=sorted({notes.number(text) for text in texts}),
        incomparable=any(is_incomparable(score) for score in scores),
    )
