"""The headline figure: our overall score beside what can be reached without the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pefomed.report import bars
from pefomed.report.figures import (
    IOU,
    OVERALL,
    PRIMARY,
    RATES,
    Cell,
    cell_of,
    is_boxes,
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

TEXT = ("cider", "rouge_l", "bleu_4")
"""Metrics of reports and captions, the first of them the headline."""

FIRST = (PRIMARY, *TEXT, IOU)
"""Metrics of the headline, the first that there is."""


@dataclass(frozen=True)
class Headline:
    metric: str
    asked: str
    """What n counts: `questions`, `texts`, `phrases` or `items`."""
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
    beside: list[tuple[str, Cell, str]]
    """What else is said of the same answers: `(title, cell, unit)`. Judges and human raters; of boxes how
    many are right, and how many answers have none."""
    ceiling: Cell | None
    """What boxes written in the model's steps can reach."""


def headlines(scores: Sequence[Score], dataset: str, split: str) -> list[Headline]:
    """Return one for answers in words and one for boxes, where the split has either; none without scores.

    That of words is our overall exact match, or where there is none our first other metric. Where every
    answer is a report or caption it is CIDEr: hardly any text is the reference word for word.
    """
    overall = [score for score in of_split(scores, dataset, split) if score.group == OVERALL]
    ours = sorted((score for score in overall if score.system == "model"), key=_order)
    words = [score for score in ours if not is_boxes(score.metric)]
    boxes = [score for score in ours if score.metric == IOU]
    texts = [score for score in words if score.metric in TEXT]
    if texts and words[0].n == texts[0].n:
        words = texts
    if boxes and all(score.metric in RATES for score in words):
        words = []
    return [_headline(main, ours, overall) for main in (*words[:1], *boxes)]


def _headline(main: Score, ours: Sequence[Score], overall: Sequence[Score]) -> Headline:
    others = [s for s in overall if s.metric == main.metric and not is_incomparable(s)]
    ceilings = [cell_of(score) for score in others if kind_of(score.system) == "ceiling"]
    on_strip = is_share(main.metric) or main.metric == IOU
    asked = {PRIMARY: "questions", IOU: "phrases"} | dict.fromkeys(TEXT, "texts")
    floors = sorted((s for s in others if kind_of(s.system) in ("blind", "floor")), key=lambda s: -s.value)
    # Floors last: they lie over the published ticks.
    behind = [s for s in others if kind_of(s.system) in ("published", "ceiling")] + floors
    marks = [mark_of(score) for score in behind]
    cell = cell_of(main)
    said = "; ".join([f"{metric_title(main.metric)} {cell.text}", *(label for _, _, label in marks)])
    return Headline(
        metric=metric_title(main.metric),
        asked=asked.get(main.metric, "items"),
        cell=cell,
        unit=" %" if is_share(main.metric) else "",
        strip=bars.strip(main.value, main.low, main.high, marks, said, 1 if main.metric == IOU else 100)
        if on_strip
        else None,
        published=any(kind_of(s.system) == "published" for s in behind),
        floors=[(kind_of(s.system), system_label(s.system), cell_of(s)) for s in floors],
        ahead=_difference(main, floors[0]) if floors else "",
        beside=[
            (metric_title(s.metric), cell_of(s), " %" if is_share(s.metric) else "")
            for s in ours
            if _is_beside(s.metric, main.metric)
        ],
        ceiling=ceilings[0] if ceilings else None,
    )


def _is_beside(metric: str, main: str) -> bool:
    if main == IOU:
        return metric in ("acc_0.5", "iou_macro", "unparsable_rate")
    if main in TEXT and metric in (*TEXT, PRIMARY):
        return metric != main
    return is_judged(metric) or is_wasm(metric)


def _order(score: Score) -> tuple[int, bool]:
    first = FIRST.index(score.metric) if score.metric in FIRST else len(FIRST)
    return first, score.metric in RATES


def _difference(main: Score, best: Score) -> str:
    # Of the figures as shown, so that a reader who subtracts them gets the same.
    difference = float(shown(main, main.value)) - float(shown(main, best.value))
    sign = "+" if difference >= 0 else "−"  # noqa: RUF001
    return f"{sign}{abs(difference):.{1 if is_share(main.metric) else 3}f}"
