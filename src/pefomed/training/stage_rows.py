"""The rows that a stage trains and validates on, read from its data sets one sample after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from pefomed.boxes.samples import has_answer
from pefomed.datasets import stream_samples
from pefomed.datasets.changed_copies import changed_copies, cropped_copies
from pefomed.datasets.stage_splits import trained_splits, validated_split
from pefomed.errors import DataError
from pefomed.evaluation.seen_images import ALIKE, SAME, seen_images
from pefomed.features.neighbours import Archive
from pefomed.models.protocol import ImageFeatures, Processor
from pefomed.packing.batch import tokenise
from pefomed.packing.fitting import Fitting
from pefomed.progress import track
from pefomed.prompts import target
from pefomed.recipe import Recipe, Stage
from pefomed.schema import Sample
from pefomed.training.log import Log
from pefomed.training.sample_store import SampleStore
from pefomed.training.stored_rows import StoredRow, StoredRows
from pefomed.training.too_long import TooLong
from pefomed.training.unreadable import Unreadable


@dataclass(frozen=True)
class StageRows:
    """A stage's data sets; `folder` keeps their samples as long as the rows are used."""

    stage: Stage
    recipe: Recipe
    processor: Processor
    data_folder: Path | None
    folder: Path
    missing: Unreadable
    log: Log
    features: Callable[[Iterable[str]], ImageFeatures] | None = None
    """Of images by path; needed where a stage tells of similar ones."""
    tasks: Counter[str] = field(default_factory=Counter)
    """Of the samples that are trained on, once `training` has read them."""

    def training(self) -> dict[str, StoredRows]:
        """Return the rows of each data set that is trained on, changed copies among them."""
        return {
            name: self.of(name, trained_splits(self.recipe, self.stage, name), self.tasks)
            for name in sorted(self.stage.data)
        }

    def validation(self) -> list[StoredRow]:
        """Return the rows to validate on, those of lost images left out; none without `validate_split`."""
        splits = {name: validated_split(self.recipe, self.stage, name) for name in sorted(self.stage.data)}
        known = {name: split for name, split in splits.items() if split is not None}
        seen = self._seen_images(known) if self.stage.validate_without_near_duplicates else frozenset()
        made = [self.of(name, (split,)) for name, split in known.items()]
        kept = (
            row
            for part in made
            for row in part
            if not self.missing.touches(row) and seen.isdisjoint(row.images)
        )
        # Measured now: a text that is too long is found before the training, not in its middle.
        return sorted(kept, key=len)

    def of(self, name: str, splits: tuple[str, ...], trained: Counter[str] | None = None) -> StoredRows:
        """Return the rows of one data set's splits.

        Args:
            trained: of what is trained on: counts the tasks of the samples, of which copies are made.

        Raises:
            DataError: no sample has an answer, or the data cannot be read.
            StorageError: the disk is full.
        """
        samples = SampleStore(self.folder)
        dataset = self.recipe.data[name]
        fitting = Fitting(self.recipe.prompt, self.processor)
        long, tell = TooLong(dataset, fitting), self._telling(name, fitting)
        left = 0
        for split in splits:
            found = stream_samples(dataset, split, self.data_folder)
            reading = track(found, f"reading {name} {split}", unit="samples")
            for sample in self.missing.kept(name, split, reading):
                if not has_answer(sample):
                    left += 1
                elif long.takes(told := tell(sample)):
                    samples.append(told)
                    if trained is not None:
                        trained[sample.task] += 1
        if left:
            self.log.write(
                "event", self.stage.name, text=f"{name}: {left} samples without an answer left out"
            )
        for copy in self._copies(samples) if trained is not None else ():
            if long.takes(copy):
                samples.append(copy)
        if long.ids:
            self.log.write("event", self.stage.name, text=long.text(name), too_long=long.ids)
        if not samples:
            raise DataError(
                f"data set {name} has no sample with an answer in {', '.join(splits)}",
                found=long.text(name) or None,
                remedy="check the split and the answers",
            )
        return StoredRows(
            samples,
            partial(tokenise, prompt=self.recipe.prompt, processor=self.processor, cut=long.cuts),
            share_image=self.stage.share_image,
            max_questions=self.stage.max_questions,
        )

    def _telling(self, name: str, fitting: Fitting) -> Callable[[Sample], Sample]:
        """Return what tells a sample of similar training images, if the stage wants that."""
        count, features = self.stage.neighbours, self.features
        if not count or features is None:
            return lambda sample: sample
        known = (
            sample
            for split in trained_splits(self.recipe, self.stage, name)
            for sample in self.missing.kept(
                name, split, stream_samples(self.recipe.data[name], split, self.data_folder)
            )
            if has_answer(sample)
        )
        answer = partial(target, prompt=self.recipe.prompt, resizing=self.processor.resizing)
        archive = Archive(known, features, answer)
        return lambda sample: archive.told(
            sample, count, leave_out=True, fits=lambda longer: fitting.too_long(longer) is None
        )

    def _copies(self, samples: SampleStore) -> Iterator[Sample]:
        """Yield the copies of the samples that are there when it begins."""
        count, stage, seed = len(samples), self.stage, self.recipe.seed
        if stage.crops:
            yield from cropped_copies(islice(samples, count), stage.crops, stage.crop_reach, seed)
        yield from changed_copies(islice(samples, count if stage.changes.copies else 0), stage.changes, seed)

    def _seen_images(self, validated: Mapping[str, str]) -> frozenset[str]:
        """Return the paths of images to validate on that were trained on, or that look like one that was.

        Raises:
            DataError: nothing else is left to validate on.
        """
        names = [stage.name for stage in self.recipe.stages]
        trained = (
            sample
            for stage in self.recipe.stages[: names.index(self.stage.name) + 1]
            for name in sorted(stage.data)
            for split in trained_splits(self.recipe, stage, name)
            for sample in stream_samples(self.recipe.data[name], split, self.data_folder)
        )
        asked = [
            sample
            for name, split in validated.items()
            for sample in stream_samples(self.recipe.data[name], split, self.data_folder)
        ]
        kinds = seen_images(trained, asked)
        seen = [sample for sample in asked if kinds.get(sample.id) in (SAME, ALIKE)]
        if len(seen) == len(asked):
            raise DataError(
                f"stage {self.stage.name}: all images to validate on look like one that is trained on",
                found=f"{len(asked)} samples of {', '.join(map(' '.join, validated.items()))}",
                remedy="remove `validate_without_near_duplicates`, or choose another split",
            )
        self.log.write(
            "event",
            self.stage.name,
            text=f"validation without {len(seen)} of {len(asked)} samples: their images are trained on, or"
            " look like one that is",
        )
        return frozenset(image for sample in seen for image in sample.images)
