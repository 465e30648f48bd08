"""What a run offers to raters: its answers with their samples, and whether exact match called them right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pefomed.datasets.provenance import provenance_in_words
from pefomed.errors import RunError, typed
from pefomed.evaluation.groups import FEWEST, MOST
from pefomed.evaluation.item_scores import ItemTable, item_table
from pefomed.evaluation.predictions import check_own_ids, read_predictions, read_samples
from pefomed.metrics.lookup import correctness
from pefomed.raters.scale import RatedTask
from pefomed.runs import RunFolder
from pefomed.samples.no_image import has_no_image
from pefomed.schema import Sample
from pefomed.tasks import BINARY, LABELLED

Stratum = Literal["right", "wrong", ""]
STRATA: tuple[Stratum, ...] = ("wrong", "right")
"""Those of VQA answers."""


@dataclass(frozen=True)
class RatableAnswer:
    """One answered sample."""

    sample: Sample
    text: str
    source: str
    """`<dataset>-<split>`."""
    stratum: Stratum
    """What exact match says of a VQA answer; empty for reports."""
    shown: str = ""
    """Hash of what the images held when it was given; empty if that is not known."""

    @property
    def images(self) -> tuple[str, ...]:
        """The images to show; none where somebody else's predictions came without."""
        return () if has_no_image(self.sample) else self.sample.images


def read_answers(run: Path, task: RatedTask | None = None) -> tuple[RatedTask, list[RatableAnswer]]:
    """Return what is to be rated in `run`: the task, and every answer of it in the files' order.

    Args:
        task: may be None if the run answered only one.

    Raises:
        RunError: nothing was predicted, the run has no such task or several to choose from, a sample
            has no prediction, or an id occurs in two data sets.
        DataError: a line is not a valid record.
    """
    answers = _all_answers(run)
    there = [name for name, tasks in LABELLED.items() if any(a.sample.task in tasks for a in answers)]
    if task is None:
        if len(there) > 1:
            raise RunError(
                f"{run} holds answers of several tasks, which are rated on different scales",
                found=", ".join(there),
                remedy=f"choose one: --task {' or --task '.join(there)}",
            )
        if not there:
            raise RunError(
                f"{run} holds nothing that people rate: VQA answers, reports or captions",
                found=", ".join(sorted({answer.sample.task for answer in answers})) or "no answers",
            )
        task = there[0]
    if task not in there:
        raise RunError(
            f"{run} holds no answers of the task {task!r}",
            found=", ".join(there) or "none that people rate",
            remedy=f"use --task {there[0]}" if there else "give another run",
        )
    return task, [answer for answer in answers if answer.sample.task in LABELLED[task]]


def features(answers: Sequence[RatableAnswer]) -> list[tuple[Hashable, ...]]:
    """Return what makes two answers alike: data set, task, meta values, and the image itself."""
    values: dict[str, set[str]] = {}
    for answer in answers:
        for key, value in answer.sample.meta.items():
            values.setdefault(key, set()).add(value)
    keys = sorted(key for key, of_key in values.items() if FEWEST <= len(of_key) <= MOST)
    return [
        (a.source, a.sample.task, *(a.sample.meta.get(key, "") for key in keys), a.sample.images)
        for a in answers
    ]


def privacy(run: Path, sources: Sequence[str]) -> dict[str, str]:
    """Return for each `<dataset>-<split>` whether its images and texts may leave the machine, in words."""
    split_of = RunFolder(run).split_of
    return {source: provenance_in_words(run, split_of(source).dataset) for source in dict.fromkeys(sources)}


def _all_answers(run: Path) -> list[RatableAnswer]:
    if not run.is_dir():
        raise RunError(f"no run at {run}", remedy="give the folder of a run")
    paths = RunFolder(run).predictions_files()
    if not paths:
        raise RunError(f"no predictions in {run}", remedy=f"run `pefomed predict {typed(run)}` first")
    answers = []
    for split in (RunFolder(run).split_of(path.stem) for path in paths):
        samples = read_samples(run, split)
        predictions = read_predictions(run, split, samples)
        texts = {each.sample_id: each.text for each in predictions}
        values = item_table(run, split, samples, {"model": texts}, "words")
        for sample, prediction in zip(samples, predictions, strict=True):
            stratum = _stratum(sample, values)
            answers.append(RatableAnswer(sample, prediction.text, split.stem, stratum, prediction.shown))
    check_own_ids(((answer.sample.id, answer.source) for answer in answers), run)
    return answers


def _stratum(sample: Sample, values: ItemTable) -> Stratum:
    if sample.task not in BINARY:
        return ""
    return "right" if values.value(correctness().name, sample.id) == 1.0 else "wrong"
