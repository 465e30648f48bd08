"""The headline figure: our overall score beside what can be reached without the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pefomed.report import bars
from pefomed.report.figures import (
    OVERALL,
    PRIMARY,
    RATES,
    Cell,
    cell_of,
    is_incomparable,
    is_judged,
    is_share,
    is_wasm,
    kind_of,
    mark_of,
    metric_title,
    of_split,
    shown,
    system_label,
)
from pefomed.schema import Score

FIRST = (PRIMARY, "cider", "rouge_l")
"""Metrics of the headline, the first that there is."""


@dataclass(frozen=True)
class Headline:
    metric: str
    asked: str
    """What n counts: `questions` or `items`."""
    cell: Cell
    unit: str
    """` %` for shares."""
    strip: Markup | None
    published: bool
    """Whether published figures are among the strip's ticks."""
    floors: list[tuple[str, str, Cell]]
    """`(kind, label, cell)` of the blind run and the floors, best first."""
    ahead: str
    """Signed difference to the best of these, or empty where there is none."""
    judged: list[tuple[str, Cell]]
    """What judges and human raters say of the same answers: `(title, cell)`."""


def headline(scores: Sequence[Score], dataset: str, split: str) -> Headline | None:
    """Return our overall exact match, or where there is none our first other metric; None without scores."""
    overall = [score for score in of_split(scores, dataset, split) if score.group == OVERALL]
    ours = sorted((score for score in overall if score.system == "model"), key=_order)
    if not ours:
        return None
    main = ours[0]
    others = [s for s in overall if s.metric == main.metric and not is_incomparable(s)]
    floors = sorted((s for s in others if kind_of(s.system) in ("blind", "floor")), key=lambda s: -s.value)
    # Floors last: they lie over the published ticks.
    behind = [s for s in others if kind_of(s.system) == "published"] + floors
    marks = [mark_of(score) for score in behind]
    cell = cell_of(main)
    said = "; ".join([f"{metric_title(main.metric)} {cell.text}", *(label for _, _, label in marks)])
    return Headline(
        metric=metric_title(main.metric),
        asked="questions" if main.metric == PRIMARY else "items",
        cell=cell,
        unit=" %" if is_share(main.metric) else "",
        strip=bars.strip(main.value, main.low, main.high, marks, said) if is_share(main.metric) else None,
        published=any(kind_of(s.system) == "published" for s in behind),
        floors=[(kind_of(s.system), system_label(s.system), cell_of(s)) for s in floors],
        ahead=_difference(main, floors[0]) if floors else "",
        judged=[
            (metric_title(s.metric), cell_of(s)) for s in ours if is_judged(s.metric) or is_wasm(s.metric)
        ],
    )


def _order(score: Score) -> tuple[int, bool]:
    first = FIRST.index(score.metric) if score.metric in FIRST else len(FIRST)
    return first, score.metric in RATES


def _difference(main: Score, best: Score) -> str:
    # Of the figures as shown, so that a reader who subtracts them gets the same.
    difference = float(shown(main, main.value)) - float(shown(main, best.value))
    sign = "+" if difference >= 0 else "−"  # noqa: RUF001
    return f"{sign}{abs(difference):.{1 if is_share(main.metric) else 3}f}"
