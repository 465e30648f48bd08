"""One question about given images: what may be asked, and what is doubtful about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pefomed.answers.writing import writing_of
from pefomed.errors import DataError, nearest
from pefomed.images.given import Picture
from pefomed.prompts import instructions
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.schema import Box, Sample
from pefomed.tasks import ABOUT_BOXES, TASKS


@dataclass(frozen=True)
class Request:
    """One question about given images."""

    images: Picture | Sequence[Picture]
    """A path, a PIL image, an array, the bytes of a file, or a list of these: the views of one study."""
    question: str = ""
    task: str = "vqa"
    boxes: Sequence[Box] = ()
    """What the task `identify` asks about, as fractions of the first image."""


def takes_question(task: str, recipe: Recipe) -> bool:
    """Return whether the recipe's prompts for `task` have a place for a question."""
    return any("{question}" in text for text in instructions(task, recipe.prompt))


def sample_of(
    question: str,
    task: str,
    boxes: Sequence[Box],
    sizes: Sequence[tuple[int, int]],
    recipe: Recipe,
    names: Sequence[str] | None = None,
) -> Sample:
    """Return the sample that asks `question` about as many images as there are `sizes` (width, height).

    Args:
        boxes: what `identify` asks about; it may also be the question, written as answers write boxes.
        names: of the images, to tell them apart from others; by default `image 0` and so on.

    Raises:
        DataError: no such task; the question is empty where the task needs one, or is no text.
    """
    if task not in TASKS:
        raise DataError(f"there is no task {task!r}", remedy=nearest(task, TASKS))
    if not isinstance(question, str):
        raise DataError(
            "a question is a text",
            found=type(question).__name__,
            remedy="give one text; `ask_each` takes several",
        )
    if task in ABOUT_BOXES and not boxes:
        boxes = _asked_boxes(task, question, sizes[0], recipe)
    elif takes_question(task, recipe) and task not in ABOUT_BOXES and not question.strip():
        without = [name for name in TASKS if not takes_question(name, recipe)]
        raise DataError(
            f"the question is empty, and the task {task} needs one",
            remedy=f"ask something; only the tasks {', '.join(without)} go without a question",
        )
    try:
        question.encode()
    except UnicodeEncodeError:
        raise DataError("the question is not text", found="bytes that are not UTF-8") from None
    return Sample(
        id="ask",
        images=tuple(names or (f"image {number}" for number in range(len(sizes)))),
        task=task,
        question=question,
        boxes=tuple(boxes),
        size=sizes[0],
    )


def trained_tasks(run: Path) -> frozenset[str] | None:
    """Return the tasks that a run was trained on, from its log; None if nothing says it.

    Of a log of an earlier version, which does not say, the tasks of the samples that the run answered.
    """
    found: set[str] = set()
    for line in _text(RunFolder(run).log_file).splitlines():
        if '"tasks"' in line:
            try:
                found.update(name for name in json.loads(line).get("tasks", ()) if name in TASKS)
            except (ValueError, TypeError, AttributeError, RecursionError):
                continue  # a killed writer's last line, or damage: nothing but a doubt hangs on it
    if not found:
        for path in RunFolder(run).samples_files():
            found.update(name for name in _TASK.findall(_text(path)) if name in TASKS)
    return frozenset(found) or None


def doubts(task: str, question: str, recipe: Recipe, trained: Iterable[str] | None) -> list[str]:
    """Return what a person should know about asking this: an untrained task, a question that is not used."""
    said = []
    if trained is not None and task not in trained:
        names = ", ".join(sorted(trained)) or "nothing"
        said.append(f"this run was trained on {names}, never on {task}: its answers may mean nothing")
    if question.strip() and not takes_question(task, recipe):
        said.append(f"the task {task} takes no question: it is left out")
    return said


def _asked_boxes(task: str, question: str, size: tuple[int, int], recipe: Recipe) -> tuple[Box, ...]:
    writing = writing_of(recipe)
    boxes = writing.placed(writing.read(question).boxes, size).boxes
    if not boxes:
        raise DataError(
            f"the task {task} asks what a box holds, and the question has none",
            found=repr(question),
            remedy=f"write it in steps of 0 to {recipe.prompt.box_bins}, left, top, right, bottom: "
            "{<10><20><30><40>}",
        )
    return boxes


_TASK = re.compile(r'^\{"id":.*?"task": ?"(\w+)"', re.MULTILINE)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
