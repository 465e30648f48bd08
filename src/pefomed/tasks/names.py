"""Sets of tasks by what they are: each is a filter over the table, asked anew whenever it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from pefomed.tasks.known import TASKS
from pefomed.tasks.task import Task


class Names(Sequence[str]):
    """The names of the tasks that fit, in the table's order. Each set is itself only, so it can be a key."""

    def __init__(self, fits: Callable[[Task], bool]):
        self._fits = fits

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in TASKS and self._fits(TASKS[name])

    def __iter__(self) -> Iterator[str]:
        return (name for name, task in TASKS.items() if self._fits(task))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return [*self][place]

    def __repr__(self) -> str:
        return f"Names({', '.join(self)})"


def where(fits: Callable[[Task], bool]) -> Names:
    """Return the names of the tasks that fit."""
    return Names(fits)


ALL = where(lambda task: True)

WORDS = where(lambda task: task.answer == "words")
"""The answers are a few words, right or wrong."""
TEXTS = where(lambda task: task.answer == "text")
"""The answers are captions or reports."""
BOXES = where(lambda task: task.answer == "boxes")
"""A phrase is asked about; the answer is its boxes and nothing else."""
MARKED = where(lambda task: task.answer == "marked text")
"""The answer is a caption with boxes behind its phrases."""

WITH_BOXES = where(lambda task: task.answer in ("boxes", "marked text"))
"""The answer holds boxes."""
ABOUT_BOXES = where(lambda task: task.asked == "boxes")
"""Boxes are asked about; the answer is their phrase."""
HAVE_BOXES = where(lambda task: task.has_boxes)
"""Samples have boxes, in the answer or in the question."""
ON_PHRASES = where(lambda task: task.answer == "boxes" or task.asked == "boxes")
"""A phrase and its boxes, either way round."""

JUDGED = where(lambda task: task.scale is not None)
BINARY = where(lambda task: task.scale == "binary")
LEVELS = where(lambda task: task.scale == "level")
"""How judges and people label the answers."""

LABELLED: dict[str, Names] = {"vqa": BINARY, "report": LEVELS}
"""The answers that are judged or rated together, by its name on the command line and in sessions."""
