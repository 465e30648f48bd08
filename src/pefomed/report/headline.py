"""The headline figures: what fits the task, overall, beside what can be reached without the image.

A split has one for its answers in words, one for its reports and captions, and one for its boxes: the first
figure of the task's list in `evaluate.headlines` that there is; the others of the list stand beside it. Of
answers in whole sentences exact match says nothing, so that it comes last there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from pefomed.evaluation.groups import ANY_BOX, OVERALL
from pefomed.evaluation.headlines import figures
from pefomed.metrics.known import CLOSED
from pefomed.metrics.lookup import metric_of
from pefomed.report import bars
from pefomed.report.figures import (
    IOU,
    PRIMARY,
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
from pefomed.tasks import BOXES, TEXTS, WORDS, Names

OPEN = "answer_type=OPEN"

_ASKED = {WORDS: "questions", TEXTS: "texts", BOXES: "phrases"}

_IN_SENTENCES = (
    "The answers are whole sentences, of which exact match says nothing: here stands what looks into them."
)


@dataclass(frozen=True)
class Headline:
    metric: str
    asked: str
    """What n counts: `questions`, `closed questions`, `texts` or `phrases`."""
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
    """What else is said of the same answers: `(title, cell, unit)`. Judges and human raters last."""
    ceiling: Cell | None
    """What boxes written in the model's steps can reach."""
    images: int = 0
    """Images of the samples of these tasks; 0 where they are not known."""
    remark: str = ""
    """Why it is this figure, where that needs saying."""


def headlines(
    scores: Sequence[Score],
    dataset: str,
    split: str,
    tasks: Collection[str] = (),
    *,
    sentences: bool = False,
    images: Mapping[str, Collection[str]] | None = None,
) -> list[Headline]:
    """Return those of a split: one for words, for texts and for boxes, as far as it has scores of them.

    Args:
        tasks: those of the split's samples; where none is known the scores tell.
        sentences: whether the answers in words are whole sentences.
        images: paths of the samples' images, by task.
    """
    mine = of_split(scores, dataset, split)
    ours = [score for score in mine if score.system == "model"]
    heads = []
    for family, first in figures(ours, tasks, sentences=sentences):
        spoken = sentences and family is WORDS
        beside = _beside(family, first, ours)
        head = _headline(family, first[0], beside, mine, _IN_SENTENCES if spoken else "")
        seen = {path for task in family for path in (images or {}).get(task, ())}
        heads.append(replace(head, images=len(seen)))
    return heads


def _beside(family: Names, figures: Sequence[Score], ours: Sequence[Score]) -> list[tuple[str, Score]]:
    """Return what stands beside the first of `figures`, with its title."""
    parts: list[tuple[str, Score]] = []
    if figures[0].metric == PRIMARY:
        parts = [
            (title, score)
            for group, title in ((OPEN, "Open"), (CLOSED, "Closed"))
            for score in ours
            if score.metric == PRIMARY and score.group == group
        ]
    known = {score.value for title, score in parts if title == "Closed"}
    others = [
        (metric_title(score.metric) + (" of what is there" if score.group == ANY_BOX else ""), score)
        for score in figures[1:]
        # The same figure twice, where every closed answer is a single word.
        if not (metric_of(score.metric).section == "closed" and score.value in known)
    ]
    # Accuracy is said of answers in words, levels of texts, neither of boxes.
    says = {WORDS: is_judged, TEXTS: is_wasm}.get(family)
    judged = [
        (metric_title(score.metric), score)
        for score in ours
        if says is not None and score.group == OVERALL and says(score.metric)
    ]
    return parts + others + judged


def _headline(
    family: Names,
    main: Score,
    beside: Sequence[tuple[str, Score]],
    scores: Sequence[Score],
    remark: str,
) -> Headline:
    others = [
        score
        for score in scores
        if (score.metric, score.group) == (main.metric, main.group)
        and score.system != "model"
        and not is_incomparable(score)
    ]
    ceilings = [cell_of(score) for score in others if kind_of(score.system) == "ceiling"]
    on_strip = is_share(main.metric) or main.metric == IOU
    floors = sorted((s for s in others if kind_of(s.system) in ("blind", "floor")), key=lambda s: -s.value)
    # Floors last: they lie over the published ticks.
    behind = [s for s in others if kind_of(s.system) in ("published", "ceiling")] + floors
    marks = [mark_of(score) for score in behind]
    cell = cell_of(main)
    said = "; ".join([f"{metric_title(main.metric)} {cell.text}", *(label for _, _, label in marks)])
    return Headline(
        metric=metric_title(main.metric),
        asked=("closed " if main.group == CLOSED else "") + _ASKED[family],
        cell=cell,
        unit=_unit(main),
        strip=bars.strip(main.value, main.low, main.high, marks, said, 100 if _unit(main) else 1)
        if on_strip
        else None,
        published=any(kind_of(s.system) == "published" for s in behind),
        floors=[(kind_of(s.system), system_label(s.system), cell_of(s)) for s in floors],
        ahead=_difference(main, floors[0]) if floors else "",
        beside=[(title, cell_of(score), _unit(score)) for title, score in beside],
        ceiling=ceilings[0] if ceilings else None,
        remark=remark,
    )


def _unit(score: Score) -> str:
    return " %" if is_share(score.metric) else ""


def _difference(main: Score, best: Score) -> str:
    # Of the figures as shown, so that a reader who subtracts them gets the same.
    difference = float(shown(main, main.value)) - float(shown(main, best.value))
    sign = "+" if difference >= 0 else "−"  # noqa: RUF001
    return f"{sign}{abs(difference):.{1 if is_share(main.metric) else 3}f}"
