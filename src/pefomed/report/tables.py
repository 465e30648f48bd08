"""Result tables: systems by open / closed / overall, every row with the numbers of its footnotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pefomed.metrics.lookup import canonical, metric_of, named
from pefomed.report.figures import (
    OVERALL,
    Cell,
    cell_of,
    is_incomparable,
    is_judged,
    kind_of,
    metric_title,
    of_split,
    system_label,
)
from pefomed.schema import Score

COLUMNS = {"answer_type=OPEN": "open", "answer_type=CLOSED": "closed", OVERALL: "overall"}

_ORDER = ("model", "blind", "floor", "ceiling", "other", "published")

_JUDGE = canonical("judge")

WIDEST = 12
"""Columns that a sheet of paper has room for."""

Proof = Callable[[Sequence[Score]], list[str]]
"""From the scores of a row to the texts of its footnotes."""


@dataclass
class Footnotes:
    """Numbers each distinct sentence in the order of first use, from 1."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


@dataclass(frozen=True)
class ColumnHead:
    """A column: its group, and the number of items our model answered in it (0 where it did not)."""

    metric: str
    group: str
    title: str
    """What stands above it."""
    n: int
    first: bool
    """Whether a new block of columns begins here."""


@dataclass(frozen=True)
class TableRow:
    kind: str
    """`model`, `blind`, `floor`, `ceiling`, `published` or `other`."""
    label: str
    cells: list[Cell | None]
    notes: list[int]
    incomparable: bool

    @property
    def note_ranges(self) -> list[tuple[int, int]]:
        """The footnotes' numbers, consecutive ones as `(first, last)`."""
        found: list[tuple[int, int]] = []
        for number in self.notes:
            if found and number == found[-1][1] + 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return found


@dataclass(frozen=True)
class ResultTable:
    blocks: list[tuple[str, int]]
    """`(title, number of its columns)`."""
    heads: list[ColumnHead]
    rows: list[TableRow]

    @property
    def common_n(self) -> int:
        """The number of items where all of several columns have the same, else 0."""
        numbers = {head.n for head in self.heads}
        return numbers.pop() if len(numbers) == 1 and len(self.heads) > 3 else 0

    @property
    def title(self) -> str:
        return ", ".join(title for title, _ in self.blocks)

    @property
    def parts(self) -> list[ResultTable]:
        """The table itself, or where it is too wide for a sheet of paper one for each block of columns."""
        if len(self.heads) <= WIDEST:
            return [self]
        parts, start = [], 0
        for block in self.blocks:
            end = start + block[1]
            rows = [replace(row, cells=row.cells[start:end]) for row in self.rows]
            parts.append(ResultTable([block], self.heads[start:end], [row for row in rows if any(row.cells)]))
            start = end
        return parts


def exact_match_table(
    scores: Sequence[Score], dataset: str, split: str, notes: Footnotes, first: Sequence[str] = ()
) -> ResultTable | None:
    """Return systems by open / closed / overall under exact match, judges and human raters; None without.

    Judges and raters have columns once our model was judged or rated; the second exact match then
    stands among the other tables.

    Args:
        first: metrics that stand before them, where exact match alone would say nothing.
    """
    mine = _of_columns(scores, dataset, split)
    metrics = _main_metrics(mine, first)
    chosen = [score for score in mine if canonical(score.metric) in metrics]
    return _table(chosen, metrics, notes) if chosen else None


def other_tables(
    scores: Sequence[Score], dataset: str, split: str, notes: Footnotes, first: Sequence[str] = ()
) -> list[ResultTable]:
    """Return systems by open / closed / overall, one table for every metric that stands in no other table.

    Those of `wide_tables` are in none.
    """
    mine = _of_columns(scores, dataset, split)
    shown = {*_main_metrics(mine, first), *named("texts", "boxes", "categories", "sides", "rates")}
    apart = ("confidence", "sure")  # which have a section of their own
    rest = [
        score
        for score in mine
        if canonical(score.metric) not in shown and metric_of(score.metric).section not in apart
    ]
    metrics = sorted(
        dict.fromkeys(canonical(score.metric) for score in rest),
        key=lambda metric: not _is_exact(metric),
    )
    return [
        _table([score for score in rest if canonical(score.metric) == metric], [metric], notes)
        for metric in metrics
    ]


def asked(scores: Sequence[Score], metric: str, group: str) -> int:
    """Return how many items our model answered in a column; 0 where it did not."""
    ours = (s for s in scores if kind_of(s.system) == "model" and s.metric == metric and s.group == group)
    return next((score.n for score in ours), 0)


def rows_of(
    scores: Sequence[Score], heads: Sequence[ColumnHead], notes: Footnotes, proof: Proof | None = None
) -> list[TableRow]:
    """Return a row for each system, ours first and published ones last.

    Args:
        proof: the texts of a row's footnotes; by default what computed each of its scores.
    """
    systems = sorted(dict.fromkeys(score.system for score in scores), key=lambda s: _ORDER.index(kind_of(s)))
    by_system = [[score for score in scores if score.system == system] for system in systems]
    return [_row(mine, heads, notes, proof or _implementations) for mine in by_system]


def _main_metrics(scores: Sequence[Score], first: Sequence[str]) -> list[str]:
    there = {score.metric for score in scores}
    first = [metric for metric in first if metric in there]
    ours = list(dict.fromkeys(score.metric for score in scores if kind_of(score.system) == "model"))
    judged = [metric for metric in ours if is_judged(metric)]
    exact = sorted({score.metric for score in scores if _is_exact(score.metric)})
    if not judged:
        return [*first, *(exact[:1] if first else exact)]
    published = {canonical(score.metric) for score in scores if kind_of(score.system) == "published"}
    # Published figures of a language model as judge never stand in the column of one that is none.
    if _JUDGE in published and not any(metric_of(metric).name == _JUDGE for metric in judged):
        judged.insert(0, _JUDGE)
    return [*first, *exact[:1], *sorted(judged, key=_order_of_judges)]


def _is_exact(metric: str) -> bool:
    return metric_of(metric).section == "exact"


def _order_of_judges(metric: str) -> int:
    return named("judged").index(metric_of(metric).name)


def _of_columns(scores: Sequence[Score], dataset: str, split: str) -> list[Score]:
    return [score for score in of_split(scores, dataset, split) if score.group in COLUMNS]


def _table(scores: Sequence[Score], metrics: Sequence[str], notes: Footnotes) -> ResultTable:
    groups = [group for group in COLUMNS if any(score.group == group for score in scores)]
    there = {(canonical(score.metric), score.group) for score in scores}
    # A metric without an overall figure is of closed questions only: it has no columns for others.
    columns = {
        metric: [group for group in groups if (metric, OVERALL) in there or (metric, group) in there]
        for metric in metrics
    }
    heads = [
        ColumnHead(metric, group, COLUMNS[group], asked(scores, metric, group), group == own[0])
        for metric, own in columns.items()
        for group in own
    ]
    blocks = [(metric_title(metric), len(own)) for metric, own in columns.items() if own]
    return ResultTable(blocks, heads, rows_of(scores, heads, notes))


def _implementations(scores: Sequence[Score]) -> list[str]:
    return [score.implementation for score in scores]


def _row(scores: Sequence[Score], heads: Sequence[ColumnHead], notes: Footnotes, proof: Proof) -> TableRow:
    system = scores[0].system
    found = {(canonical(score.metric), score.group): score for score in scores}
    in_columns = [found.get((head.metric, head.group)) for head in heads]
    texts = proof(scores)
    texts += [f"Interval: {score.interval}" for score in scores if score.interval]
    return TableRow(
        kind=kind_of(system),
        label=system_label(system),
        cells=[cell_of(score) if score else None for score in in_columns],
        notes=sorted({notes.number(text) for text in texts}),
        incomparable=any(is_incomparable(score) for score in scores),
    )
