"""The splits that a recipe trains on, validates on and predicts: can they be read, and do their texts fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pefomed.boxes.samples import has_answer, is_absent
from pefomed.datasets import stream_samples
from pefomed.datasets.stage_splits import used_splits
from pefomed.errors import DataError, PefomedError, RecipeError, listed
from pefomed.files import checksums, jsonl
from pefomed.inference.vocabularies import vocabularies
from pefomed.packing.fitting import Fitting
from pefomed.progress import track
from pefomed.recipe import Dataset, Predict, Recipe, Stage
from pefomed.runs import RunFolder
from pefomed.runs.folder import asked_ways
from pefomed.schema import Prediction, Sample
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.model import UnloadedModel

SHOWN = 10
"""Samples that are named of all that are too long."""


@dataclass
class CheckedSplit:
    """A split of a data set and what it is used for."""

    name: str
    split: str
    dataset: Dataset
    data_folder: Path | None
    stages: list[Stage] = field(default_factory=list)
    """Those not finished that train or validate on it."""
    predicted: bool = False
    answered: frozenset[str] = frozenset()
    """Ids of the samples that are answered already."""
    left: int = 0
    """Samples not answered yet."""
    trained_images: dict[str, None] = field(default_factory=dict)
    asked_images: dict[str, None] = field(default_factory=dict)
    """Paths, each once and in order."""
    tasks: set[str] = field(default_factory=set)
    meta: set[str] = field(default_factory=set)
    """Keys that any sample has."""
    long: list[tuple[str, PefomedError]] = field(default_factory=list)
    """Ids of samples that are too long, and what is wrong with them."""
    cut: list[str] = field(default_factory=list)
    """Ids of samples whose question is cut when they are answered."""

    def __str__(self) -> str:
        return f"{self.name} {self.split}"

    def cut_text(self, most: int) -> str:
        """Return what is said of the questions that are cut."""
        ids = listed(self.cut, most=SHOWN)
        return f"{self}: {len(self.cut)} questions of more than {most} tokens of text are cut: {ids}"

    def samples(self) -> Iterator[Sample]:
        """Yield its samples as they are read."""
        return stream_samples(self.dataset, self.split, self.data_folder)

    def trained(self, sample: Sample) -> bool:
        """Return whether a stage learns or validates on the sample."""
        return bool(self.stages) and has_answer(sample)

    def asked(self, sample: Sample) -> bool:
        """Return whether the sample is still to be answered."""
        return self.predicted and sample.id not in self.answered


def open_splits(
    recipe: Recipe, run: Path, data_folder: Path | None, stages: Sequence[Stage], *, fresh: bool
) -> list[CheckedSplit]:
    """Return the splits that `stages`, those not finished, and prediction still need."""
    found: dict[tuple[str, str], CheckedSplit] = {}

    def split(name: str, part: str) -> CheckedSplit:
        return found.setdefault((name, part), CheckedSplit(name, part, recipe.data[name], data_folder))

    for stage in stages:
        for name in sorted(stage.data):
            for part in used_splits(recipe, stage, name):
                split(name, part).stages.append(stage)
    for name, part in recipe.predict.data.items():
        split(name, part).predicted = True
        kinds = (False, True) if recipe.predict.blind else (False,)
        files = [RunFolder(run).predictions_file((name, part), blind=blind) for blind in kinds]
        others = [
            RunFolder(run).predictions_file((name, part), way=way) for way in asked_ways(recipe.predict)
        ]
        files += [other for other in others if other.exists()]
        # What is still trained will answer all of it anew.
        if not fresh and not stages:
            split(name, part).answered = frozenset.intersection(*map(_answered, files))
    return list(found.values())


def is_finished(run: Path, stage: Stage) -> bool:
    """Return whether the stage's end is in the run, whole."""
    final = RunFolder(run).final(stage.name)
    return checksums.is_sealed(final) and not checksums.damage(final)


def check_splits(
    splits: list[CheckedSplit], recipe: Recipe, known: UnloadedModel | None, findings: Findings
) -> list[CheckedSplit]:
    """Read every split once; add what is wrong with it to the findings and return those that can be read."""
    readable = []
    for one in splits:
        before = len(findings.errors)
        with findings.collecting():
            _read(one, recipe, known)
        if len(findings.errors) == before:
            readable.append(one)
            _say_long(one, findings)
    return readable


def _read(one: CheckedSplit, recipe: Recipe, known: UnloadedModel | None) -> None:
    fits = asks = None
    if known is not None:
        fits = Fitting(recipe.prompt, known.processor)
        room = recipe.predict.max_new_tokens
        asks = Fitting(recipe.prompt, known.processor, answers=False, room=room)
    answered = absent = 0
    for sample in track(one.samples(), f"checking {one}", unit="samples"):
        one.tasks.add(sample.task)
        one.meta.update(sample.meta)
        one.left += one.asked(sample)
        answered += has_answer(sample)
        absent += is_absent(sample)
        for needed, images, fitting in (
            (one.trained(sample), one.trained_images, fits),
            (one.asked(sample), one.asked_images, asks),
        ):
            if needed:
                images.update(dict.fromkeys(sample.images))
                if fitting is not None:
                    _measure(one, sample, fitting)
    if one.predicted:
        vocabularies(recipe, one.name, one.tasks, one.data_folder)  # whoever answers needs them to be there
    if one.stages and not answered:
        raise DataError(
            f"data set {one.name} has no sample with an answer in {one.split}",
            remedy="check the split and the answers",
        )
    if absent and bound_to_boxes(recipe.predict):
        raise RecipeError(
            f"{absent} phrases of {one} have no box, and the recipe lets no answer say so",
            remedy="set `predict.box_none = true` beside `constrain_boxes` or `box_choice = 'median'`",
        )


def bound_to_boxes(how: Predict) -> bool:
    """Return whether the answers to refer and detection have to hold a box."""
    return (how.constrain_boxes or how.box_choice == "median") and not how.box_none


def _measure(one: CheckedSplit, sample: Sample, fitting: Fitting) -> None:
    wrong: PefomedError | None = fitting.too_long(sample)
    if wrong is not None and one.dataset.too_long == "cut":
        try:
            fitting.encoded(sample, cut=True)
        except PefomedError as error:
            wrong = error
        else:
            one.cut += [] if fitting.answers else [sample.id]
            return
    if wrong is not None and not (fitting.answers and one.dataset.too_long == "leave_out"):
        one.long.append((sample.id, wrong))


def _say_long(one: CheckedSplit, findings: Findings) -> None:
    """Add one error for all samples of a split that are too long in the same way."""
    if not one.long:
        return
    [first, wrong] = one.long[0]
    if len(one.long) == 1:
        findings.wrong(wrong)
        return
    ids = list(dict.fromkeys(name for name, _ in one.long))
    problem = wrong.problem.replace(f"sample {first} is", f"{len(ids)} samples of {one} are")
    found = f"{listed(ids, most=SHOWN)}; the first: {wrong.found}"
    findings.wrong(DataError(problem, found=found, remedy=wrong.remedy))


def _answered(file: Path) -> frozenset[str]:
    try:
        return frozenset(one.sample_id for one in jsonl.read(file, Prediction))
    except DataError:  # said where the answers are read
        return frozenset()
