"""Which figures stand first for a task: on the terminal, at the head of a report, in comparisons.

The table of metrics says which, and in which order. The first that a split has is its headline; the others
stand beside it. Accuracies that judges and people gave belong to every task they judge and follow behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pefomed.evaluation.groups import OVERALL
from pefomed.metrics.lookup import heads, metric_of
from pefomed.metrics.metric import TableSection
from pefomed.schema import Score
from pefomed.tasks import ALL, BOXES, MARKED, TASKS, TEXTS, WORDS, Names
from pefomed.tasks.task import AnswerKind


class LeadingFigure(NamedTuple):
    """A figure that stands first."""

    metric: str
    unit: str = " %"
    """` %` for shares, which are shown times 100; empty for others."""
    group: str = OVERALL
    """The group it is of: closed accuracy is of closed questions only."""


def headlines_of(kind: AnswerKind) -> tuple[LeadingFigure, ...]:
    """Return the figures of such answers, the headline first; of marked texts those of boxes come first."""
    kinds: tuple[AnswerKind, ...] = ("boxes", "text") if kind == "marked text" else (kind,)
    return tuple(
        LeadingFigure(metric.name, metric.unit and f" {metric.unit}", group)
        for each in kinds
        for metric, group in heads(each)
    )


def heads_of(tasks: Iterable[str]) -> tuple[LeadingFigure, ...]:
    """Return the figures of all these tasks, each once, those of the first task first."""
    return tuple(dict.fromkeys(head for task in tasks for head in headlines_of(TASKS[task].answer)))


def figures(
    scores: Collection[Score], tasks: Collection[str] = (), *, sentences: bool = False
) -> list[tuple[Names, list[Score]]]:
    """Return what stands first of the answers in words, of texts and of boxes, each headed by its headline.

    Args:
        scores: of one system and split.
        tasks: those of the split's samples; where none is known the scores tell.
        sentences: whether the answers in words are whole sentences: of these exact match says nothing, so
            that it is there only where there is no other figure.
    """
    asked = set(tasks) or _told(scores)
    by_family = []
    for family in (WORDS, TEXTS, BOXES):
        marked = not asked.isdisjoint(MARKED) and family is not WORDS
        if asked.isdisjoint(family) and not marked:
            continue
        first = [score for score in heading(scores, family) if not is_verdict(score.metric)]
        if family is WORDS and sentences:
            first = [score for score in first if metric_of(score.metric).of_sentences] or first
        if first:
            by_family.append((family, first))
    return by_family


def heading(scores: Collection[Score], tasks: Iterable[str] = ALL) -> list[Score]:
    """Return the scores that stand first, in order: of one split, of whatever systems.

    Args:
        tasks: the tasks of the split's samples, if they are known; by default a score's metric alone says
            whether it is one of them.
    """
    by_metric: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        by_metric.setdefault((score.metric, score.group), []).append(score)
    first = [score for head in heads_of(tasks) for score in by_metric.get((head.metric, head.group), [])]
    return first + [s for s in scores if s.group == OVERALL and is_verdict(s.metric)]


def is_rate(metric: str) -> bool:
    """Return whether a metric says how answers came out, not how good they are."""
    return metric_of(metric).section == "rates"


def is_verdict(metric: str) -> bool:
    """Return whether a metric is what judges or people said."""
    return metric_of(metric).section in ("judged", "levels")


def is_own(metric: str) -> bool:
    """Return whether a metric is a plug-in's."""
    return bool(metric_of(metric).implementation)


def _told(scores: Collection[Score]) -> set[str]:
    """Return a task of each kind that there are scores of; texts alone have an exact match of their own."""

    def n_of(*sections: TableSection) -> int:
        overall = (score for score in scores if score.group == OVERALL)
        return max((s.n for s in overall if metric_of(s.metric).section in sections), default=0)

    texts = n_of("texts")
    told = {TEXTS[0]} if texts else set()
    if n_of("words") or n_of("exact") > texts:
        told.add(WORDS[0])
    if n_of("boxes"):
        told.add(BOXES[0])
    return told
