"""The answers of a closed vocabulary: those of training, a list, or a file with one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pefomed.datasets import data_folder as root_of
from pefomed.datasets import stream_samples
from pefomed.datasets.stage_splits import last_trained_splits
from pefomed.errors import RecipeError
from pefomed.recipe import Recipe
from pefomed.tasks import WORDS

TRAIN = "train"

MOST = 100_000
"""Answers of a vocabulary, all of which are in memory as one tree of tokens."""


def vocabularies(
    recipe: Recipe, name: str, tasks: Iterable[str], data_folder: Path | None
) -> dict[str, tuple[str, ...]]:
    """Return the answers that may be given, for each of `tasks` that is answered in words.

    With `train` these are the different answers, as they are trained on, of the data set `name` in the splits
    that the last stage which names it trains on; without one, of its split `train`. They are not parted by
    kinds of questions: what is asked for is for the model to see.

    Raises:
        RecipeError: there are none, or the file cannot be read.
        DataError: the data cannot be read.
    """
    wanted = recipe.predict.vocabulary
    tasks = sorted({task for task in tasks if task in WORDS})
    if wanted is None or not tasks:
        return {}
    if wanted == TRAIN:
        return {task: _of_training(recipe, name, task, data_folder) for task in tasks}
    told = _of_file(root_of(data_folder) / wanted) if isinstance(wanted, str) else wanted
    return dict.fromkeys(tasks, _different(told, recipe, "`predict.vocabulary` holds no answer"))


def _of_training(recipe: Recipe, name: str, task: str, data_folder: Path | None) -> tuple[str, ...]:
    splits = last_trained_splits(recipe, name)
    answers = (
        sample.reference
        for split in splits
        for sample in stream_samples(recipe.data[name], split, data_folder)
        if sample.task == task
    )
    problem = f"{name} has no answers to questions of the task {task!r} in {' + '.join(splits)}"
    return _different(answers, recipe, f"`predict.vocabulary` is of training, and {problem}")


def _different(answers: Iterable[str], recipe: Recipe, problem: str) -> tuple[str, ...]:
    """Return the different answers in order, as they are trained on."""
    lower = recipe.prompt.answer_case == "lower"
    found = (answer.lower() if lower else answer for answer in answers if answer.strip())
    kept = tuple(islice(_once(found), MOST + 1))
    if not kept:
        raise RecipeError(problem, remedy="name a list of answers, or a file with one a line")
    if len(kept) > MOST:
        raise RecipeError(
            f"`predict.vocabulary` holds more than {MOST:,} answers",
            remedy="name those that may be given",
        )
    return kept


def _once(answers: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for answer in answers:
        if answer not in seen:
            seen.add(answer)
            yield answer


def _of_file(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            yield from (line.strip() for line in lines)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"the file of `predict.vocabulary` cannot be read: {path}",
            found=str(error),
            remedy='name a UTF-8 text file with one answer a line, a list of answers, or "train"',
        ) from None
