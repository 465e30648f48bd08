"""The sides of boxes on the page: how often each was answered for each, and the rates of mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pefomed.evaluation.groups import OVERALL
from pefomed.metrics.laterality import NOWHERE, RULE, SIDES, side_of
from pefomed.metrics.lookup import named, table
from pefomed.report.box_answers import AnsweredPhrase
from pefomed.report.figures import Cell, cell_of, kind_of, system_label
from pefomed.report.sheet import Column, Sheet, SheetLine
from pefomed.schema import Score

_NOTES = [
    "Share of phrases answered on the other side; an answer without a box is no such mistake",
    RULE[0].upper() + RULE[1:],
]


def confusion(name: str, title: str, phrases: Sequence[AnsweredPhrase]) -> Sheet:
    """Return how often boxes on each side were answered on each side: a line per side of the reference.

    Phrases that are nowhere in the image have a line of their own, if there are any.
    """
    counts = Counter((side_of(phrase.boxes), side_of(phrase.given)) for phrase in phrases)
    given = [side for side in (*SIDES, NOWHERE) if side in SIDES[::2] or any(s == side for _, s in counts)]
    asked = [side for side in (*SIDES, NOWHERE) if side in SIDES[::2] or any(s == side for s, _ in counts)]
    columns = tuple(Column(f"answer {side}", side, "Answered boxes") for side in given)
    lines = [
        SheetLine((side,), tuple(_count(counts[side, answer], side, answer) for answer in given))
        for side in asked
    ]
    return Sheet(name, title, ("reference_boxes",), columns, lines, _NOTES[1:])


def mistakes(name: str, title: str, scores: Sequence[Score]) -> Sheet | None:
    """Return the overall rates of left/right mistakes, a line per system; None without any.

    Args:
        scores: of one split.
    """
    titles = {name: table()[name].heading for name in named("sides")}
    rates = {
        (score.system, score.metric): score
        for score in scores
        if score.group == OVERALL and score.metric in titles
    }
    systems = [
        system for system in dict.fromkeys(system for system, _ in rates) if kind_of(system) != "ceiling"
    ]
    lines = []
    for system in systems:
        of_system = [rates.get((system, metric)) for metric in titles]
        cells = tuple(cell_of(score) if score else None for score in of_system)
        lines.append(SheetLine((system_label(system),), cells, kind_of(system)))
    columns = tuple(Column(metric, title) for metric, title in titles.items())
    return Sheet(name, title, ("system",), columns, lines, _NOTES) if lines else None


def _count(count: int, side: str, answer: str) -> Cell:
    return Cell(f"{count:,}", "", 0, f"{count:,} phrases: reference {side}, answer {answer}", count)
