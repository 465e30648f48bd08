"""One data set of a run as it is scored: its samples, who answered them and what was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pefomed.datasets import load_samples
from pefomed.evaluation.given_values import Given
from pefomed.evaluation.groups import groups_of
from pefomed.evaluation.outside_training import TRAIN, read_training
from pefomed.evaluation.predictions import read_predictions
from pefomed.evaluation.protocol_records import ProtocolSplit
from pefomed.evaluation.score import Questions, numbered
from pefomed.evaluation.verdicts import RaterVerdicts
from pefomed.metrics.metric import Metric
from pefomed.recipe import Evaluate, Recipe, Stage
from pefomed.runs import RunFolder, Split
from pefomed.runs.folder import WAYS, Way, asked_ways
from pefomed.schema import ItemScore, Prediction, Sample


@dataclass(frozen=True)
class EvaluatedRun:
    """What all data sets of a run share."""

    folder: Path
    recipe: Recipe | None
    """None for somebody else's answers: no floors, no published rows."""
    evaluate: Evaluate
    data_folder: Path | None
    raters: list[RaterVerdicts]
    events: list[str]
    """What is left out and why, for the log."""
    plugins: tuple[Metric, ...] = ()
    """Metrics of the user's own."""
    given: Given = field(default_factory=Given)
    """Metrics whose values were computed elsewhere."""
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    """Data set and split -> sample id -> whether its images were trained on, see `seen_images`."""
    items: dict[Split, list[ItemScore]] = field(default_factory=dict)
    """Data set and split -> the value of each metric of each answer, model's and blind."""
    protocols: list[ProtocolSplit] | None = None
    """What protocols make of each split that is answered in words; None: nobody asked."""


class System(NamedTuple):
    """Whose answers are scored: its name, its answers in the samples' order, how they came about."""

    name: str
    answers: list[str]
    how: str

    def only(self, places: Sequence[int]) -> System:
        """Return the system with its answers at `places`."""
        return self._replace(answers=[self.answers[place] for place in places])


class Training(NamedTuple):
    """What the last stage that uses a data set trains on."""

    samples: list[Sample]
    splits: str
    """Their names, `train + validate`."""

    @property
    def source(self) -> str:
        """`5 training samples (train + validate)`, for the text behind a score."""
        return f"{len(self.samples)} training samples ({self.splits})"

    def changed(self, change: Callable[[Sample], Sample]) -> Training:
        """Return the training samples, each of them changed."""
        return self._replace(samples=[change(sample) for sample in self.samples])


@dataclass(frozen=True)
class AnsweredSplit:
    """The answered samples of one split of one data set."""

    run: EvaluatedRun
    dataset: str
    split: str
    samples: list[Sample]
    systems: list[System]
    """The model, then its blind run if there is one."""
    predictions: list[list[Prediction]]
    """Of each system, in the samples' order."""

    @property
    def name(self) -> str:
        return f"{self.dataset}, {self.split}"

    def keep(self, items: Sequence[ItemScore]) -> None:
        """Keep the values of single answers, to be written with the scores."""
        self.run.items.setdefault(Split(self.dataset, self.split), []).extend(items)

    def places(self, *tasks: str) -> list[int]:
        """Return the places of the samples of these tasks."""
        return [place for place, sample in enumerate(self.samples) if sample.task in tasks]

    def only(self, places: Sequence[int]) -> AnsweredSplit:
        """Return the data set with its samples at `places`."""
        return replace(
            self,
            samples=[self.samples[place] for place in places],
            systems=[system.only(places) for system in self.systems],
            predictions=[[each[place] for place in places] for each in self.predictions],
        )

    def questions(self, samples: Sequence[Sample]) -> Questions:
        """Return what is needed to score answers to these samples, by group and image."""
        several_tasks = len({sample.task for sample in samples}) > 1
        metas = [{"task": sample.task, **sample.meta} if several_tasks else sample.meta for sample in samples]
        # Open and closed, and the tasks where there are several, are told apart whatever else is asked for.
        asked = self.run.evaluate.groups
        keys = tuple(dict.fromkeys(("task", "answer_type", *asked))) if asked else ()
        return Questions(
            dataset=self.dataset,
            split=self.split,
            references=[sample.references for sample in samples],
            clusters=numbered([sample.images for sample in samples]),
            groups=groups_of(metas, keys),
            draws=self.run.evaluate.bootstrap,
            seed=self.run.evaluate.seed,
        )

    @property
    def stage(self) -> Stage | None:
        """The last stage that trains on the data set."""
        stages = self.run.recipe.stages if self.run.recipe else ()
        return next((stage for stage in reversed(stages) if self.dataset in stage.data), None)

    @property
    def has_floors(self) -> bool:
        """Whether floors are wanted and something is known of the training."""
        return self.run.evaluate.floors

    @cached_property
    def training(self) -> Training | None:
        """What floors learn from; None, and an event, where no stage trains on the data set.

        Of somebody else's answers it is the table that came with them.
        """
        if self.run.recipe is None:
            return Training(read_training(self.run.folder), TRAIN)
        if self.stage is None:
            self.run.events.append(f"{self.dataset}: no stage trains on it, so it has no floors that learn")
            return None
        splits = (self.stage.split, *self.stage.also_train)
        return Training([s for split in splits for s in self.load(split)], " + ".join(splits))

    def load(self, split: str) -> list[Sample]:
        """Return the samples of another split of the data set."""
        assert self.run.recipe is not None
        return load_samples(self.run.recipe.data[self.dataset], split, self.run.data_folder)


def read_answered(run: EvaluatedRun, split: Split, samples: list[Sample]) -> AnsweredSplit:
    """Return the samples with the model's predictions, the blind ones, and those found in other ways.

    Raises:
        RunError: predictions are missing or do not fit the samples; the ids are named.
        DataError: a record is not valid.
    """
    systems: list[System] = []
    found: list[list[Prediction]] = []
    kinds: list[tuple[str, bool, Way]] = [("model", False, ""), ("blind", True, "")]
    for name, blind, way in (*kinds, *((way, False, way) for way in WAYS)):
        path = RunFolder(run.folder).predictions_file(split, blind=blind, way=way)
        if blind and not (run.recipe.predict.blind if run.recipe else path.exists()):
            continue
        if way and not (path.exists() and run.recipe and way in asked_ways(run.recipe.predict)):
            continue
        predictions = read_predictions(run.folder, split, samples, blind=blind, way=way)
        how = " / ".join(dict.fromkeys(prediction.generation for prediction in predictions))
        systems.append(System(name, [prediction.text for prediction in predictions], how))
        found.append(predictions)
    return AnsweredSplit(run, *split, samples, systems, found)
