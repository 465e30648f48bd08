"""Which figures stand first for a task: on the terminal, at the head of a report, in comparisons.

The first of a task's list that a split has is its headline; the others stand beside it. Accuracies that
judges and people gave belong to every task they judge and follow behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pefomed.evaluate.groups import ANY_BOX, OVERALL
from pefomed.schema import Score
from pefomed.tasks import ALL, BOXES, MARKED, TASKS, TEXTS, WORDS, Names
from pefomed.tasks.task import Answer as Kind


class Head(NamedTuple):
    """A figure that stands first."""

    metric: str
    unit: str = " %"
    """` %` for shares, which are shown times 100; empty for others."""
    group: str = OVERALL
    """The group it is of: closed accuracy is of closed questions only."""


CLOSED = "answer_type=CLOSED"

_WORDS = (
    Head("exact_match"),
    Head("closed_accuracy", group=CLOSED),
    Head("token_recall"),
)
_TEXTS = (
    Head("cider", ""),
    Head("rouge_l", ""),
    Head("bleu_4", ""),
    Head("meteor", ""),
    Head("exact_match"),  # of texts that follow a template; others have none
)
_BOXES = (
    Head("iou", ""),
    Head("acc_0.5"),
    Head("dice", ""),
    Head("mask_dice", ""),
    Head("iou_macro", ""),
    Head("side_mistake_rate"),
    Head("iou", "", ANY_BOX),
    Head("n_acc"),
    Head("t_acc"),
    Head("unparsable_rate"),
)

HEADLINES: dict[Kind, tuple[Head, ...]] = {
    "words": _WORDS,
    "text": _TEXTS,
    "boxes": _BOXES,
    "marked text": (*_BOXES, *_TEXTS),
}
"""What an answer is -> its figures, the headline first."""

RATES = ("empty_rate", "cut_rate", "unparsable_rate", "repaired_rate")
"""Scores that say how answers came out, not how good they are."""

JUDGED = ("judge_accuracy", "offline_judge_accuracy", "model_rater_accuracy", "human_accuracy", "wasm_")
"""How the names of judges' and people's figures begin; of several each has its name behind a colon."""


def heads_of(tasks: Iterable[str]) -> tuple[Head, ...]:
    """Return the figures of all these tasks, each once, those of the first task first."""
    return tuple(dict.fromkeys(head for task in tasks for head in HEADLINES[TASKS[task].answer]))


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
    found = []
    for family in (WORDS, TEXTS, BOXES):
        marked = not asked.isdisjoint(MARKED) and family is not WORDS
        if asked.isdisjoint(family) and not marked:
            continue
        first = [score for score in heading(scores, family) if not score.metric.startswith(JUDGED)]
        if family is WORDS and sentences:
            first = [score for score in first if score.metric != "exact_match"] or first
        if first:
            found.append((family, first))
    return found


def heading(scores: Collection[Score], tasks: Iterable[str] = ALL) -> list[Score]:
    """Return the scores that stand first, in order: of one split, of whatever systems.

    Args:
        tasks: the tasks of the split's samples, if they are known; by default a score's metric alone says
            whether it is one of them.
    """
    found: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        found.setdefault((score.metric, score.group), []).append(score)
    first = [score for head in heads_of(tasks) for score in found.get((head.metric, head.group), [])]
    return first + [s for s in scores if s.group == OVERALL and s.metric.startswith(JUDGED)]


def _told(scores: Collection[Score]) -> set[str]:
    """Return a task of each kind that there are scores of; texts alone have an exact match of their own."""

    def n_of(*metrics: str) -> int:
        return max((s.n for s in scores if s.metric in metrics and s.group == OVERALL), default=0)

    texts = n_of("cider", "rouge_l", "bleu_4", "meteor")
    found: set[str] = {"report"} if texts else set()
    if n_of("token_recall") or n_of("exact_match") > texts:
        found.add("vqa")
    if n_of("iou"):
        found.add("refer")
    return found
