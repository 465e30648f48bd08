"""Which answers are right under one protocol and not under another: counted for each pair, and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pefomed.evaluation.protocol_records import ProtocolSplit
from pefomed.metrics.references import shown
from pefomed.protocols.known import PROTOCOLS
from pefomed.report.run import ReportedSplit
from pefomed.report.sheet import Column, Sheet, SheetLine

MOST_SHOWN = 200
"""Answers that the page lists."""
MOST_HANDED_ON = 5000
"""Answers that its table holds."""

Worths = tuple[float | None, ...]


@dataclass(frozen=True)
class Voices:
    """Protocols that say the same of every answer."""

    title: str
    """Of the first."""
    others: tuple[str, ...]
    """Titles of those that agree with it."""


@dataclass(frozen=True)
class ChangedAnswer:
    """An answer on which protocols disagree."""

    sample_id: str
    question: str
    reference: str
    answer: str
    worths: tuple[float | None, ...]
    """What each of the voices says it is worth; None where the question does not count."""

    @property
    def marks(self) -> list[str]:
        """What each says as the page shows it: right, wrong, or a share."""
        return ["\u2713" if _right(one) else "\u2717" if one == 0 else _share(one) for one in self.worths]


@dataclass(frozen=True)
class SidesChanged:
    voices: list[Voices]
    counts: list[list[int | None]]
    """Row, column: answers right under the row's protocols and not under the column's; None of a pair that
    has no answer in common, or is one protocol."""
    n: int
    """Answers that any protocol counts."""
    changed: list[ChangedAnswer]
    sheets: list[Sheet]

    @property
    def listed(self) -> list[ChangedAnswer]:
        return self.changed[:MOST_SHOWN]


def sides_changed(
    found: ProtocolSplit, answered: ReportedSplit | None, name: str, title: str
) -> SidesChanged:
    """Return where the protocols of a split part.

    Args:
        answered: the split's questions and answers, where they are there.
        name, title: of the table that holds all of them.
    """
    columns = [tuple(row[place] for row in found.values.values()) for place in range(len(found.rows))]
    titles = [
        (PROTOCOLS[row.name].title if row.name in PROTOCOLS else row.name)
        + (f": {row.judge}" if row.judge else "")
        for row in found.rows
    ]
    groups: dict[Worths, list[str]] = {}
    for column, said in zip(columns, titles, strict=True):
        groups.setdefault(column, []).append(said)
    voices = [Voices(first, tuple(rest)) for first, *rest in groups.values()]
    counts = [[None if one is other else _changing(one, other) for other in groups] for one in groups]
    changed = _changed(found, list(groups), answered)
    return SidesChanged(
        voices=voices,
        counts=counts,
        n=sum(any(value is not None for value in row) for row in found.values.values()),
        changed=changed,
        sheets=[_sheet(name, title, voices, changed)] if changed else [],
    )


def _changing(one: Worths, other: Worths) -> int | None:
    both = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return sum(_right(a) and not _right(b) for a, b in both) if both else None


def _changed(
    found: ProtocolSplit, groups: Sequence[Worths], answered: ReportedSplit | None
) -> list[ChangedAnswer]:
    samples = {sample.id: sample for sample in answered.samples} if answered else {}
    changed = []
    for place, sample_id in enumerate(found.values):
        said = [group[place] for group in groups]
        if len({_right(value) for value in said if value is not None}) < 2 or sample_id not in samples:
            continue
        sample = samples[sample_id]
        given = answered.predictions.get(sample_id) if answered else None
        changed.append(
            ChangedAnswer(
                sample_id=sample_id,
                question=sample.question,
                reference=shown(sample.references),
                answer=given.text if given else "",
                worths=tuple(said),
            )
        )
    return changed


def _right(value: float | None) -> bool:
    return value is not None and value >= 1 - 1e-9


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".removesuffix(".00")


def _sheet(name: str, title: str, voices: Sequence[Voices], changed: Sequence[ChangedAnswer]) -> Sheet:
    columns = tuple(Column(f"protocol {place}", one.title) for place, one in enumerate(voices, 1))
    lines = [
        SheetLine((one.sample_id, one.question, one.reference, one.answer), tuple(map(_share, one.worths)))
        for one in changed[:MOST_HANDED_ON]
    ]
    notes = [f"{one.title}: so say {', '.join(one.others)} too" for one in voices if one.others]
    if len(changed) > MOST_HANDED_ON:
        notes.append(f"The first {MOST_HANDED_ON:,} of {len(changed):,} answers")
    return Sheet(name, title, ("id", "question", "reference", "answer"), columns, lines, notes)
