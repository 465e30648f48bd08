"""Which figures stand first for a task: on the terminal, at the head of a report, in comparisons.

The first of a task's list that a split has is its headline; the others stand beside it. Accuracies that
judges and people gave belong to every task they judge and follow behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pefomed.evaluate.groups import OVERALL
from pefomed.schema import Score, Task


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
    Head("iou_macro", ""),
    Head("side_mistake_rate"),
    Head("unparsable_rate"),
)

HEADLINES: dict[Task, tuple[Head, ...]] = {
    "vqa": _WORDS,
    "identify": _WORDS,
    "caption": _TEXTS,
    "report": _TEXTS,
    "refer": _BOXES,
    "detection": _BOXES,
    "grounding": (*_BOXES, *_TEXTS),
}
"""Task -> its figures, the headline first."""

RATES = ("empty_rate", "cut_rate", "unparsable_rate", "repaired_rate")
"""Scores that say how answers came out, not how good they are."""

JUDGED = ("judge_accuracy", "offline_judge_accuracy", "model_rater_accuracy", "human_accuracy", "wasm_")
"""How the names of judges' and people's figures begin; of several each has its name behind a colon."""


def heads_of(tasks: Iterable[Task]) -> tuple[Head, ...]:
    """Return the figures of all these tasks, each once, those of the first task first."""
    return tuple(dict.fromkeys(head for task in tasks for head in HEADLINES[task]))


def heading(scores: Collection[Score], tasks: Iterable[Task] = tuple(HEADLINES)) -> list[Score]:
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
