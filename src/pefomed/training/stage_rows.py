"""The rows that a stage trains and validates on, read from its data sets one sample after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from pefomed.boxes.samples import has_answer
from pefomed.datasets import stream_samples
from pefomed.datasets.cropped_copies import cropped_copies
from pefomed.datasets.stage_splits import trained_splits, validated_split
from pefomed.errors import DataError
from pefomed.models.protocol import Processor
from pefomed.packing.batch import tokenise
from pefomed.packing.fitting import Fitting
from pefomed.progress import track
from pefomed.recipe import Recipe, Stage
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
    tasks: Counter[str] = field(default_factory=Counter)
    """Of the samples that are trained on, once `training` has read them."""

    def training(self) -> dict[str, StoredRows]:
        """Return the rows of each data set that is trained on, cropped copies among them."""
        return {
            name: self.of(name, trained_splits(self.recipe, self.stage, name), self.stage.crops, self.tasks)
            for name in sorted(self.stage.data)
        }

    def validation(self) -> list[StoredRow]:
        """Return the rows to validate on, those of lost images left out; none without `validate_split`."""
        splits = {name: validated_split(self.recipe, self.stage, name) for name in sorted(self.stage.data)}
        made = [self.of(name, (split,)) for name, split in splits.items() if split is not None]
        kept = (row for part in made for row in part if not self.missing.touches(row))
        # Measured now: a text that is too long is found before the training, not in its middle.
        return sorted(kept, key=len)

    def of(
        self, name: str, splits: tuple[str, ...], crops: int = 0, tasks: Counter[str] | None = None
    ) -> StoredRows:
        """Return the rows of one data set's splits; the samples are added to `tasks`.

        Raises:
            DataError: no sample has an answer, or the data cannot be read.
            StorageError: the disk is full.
        """
        samples = SampleStore(self.folder)
        dataset = self.recipe.data[name]
        long = TooLong(dataset, Fitting(self.recipe.prompt, self.processor))
        left = 0
        for split in splits:
            found = stream_samples(dataset, split, self.data_folder)
            reading = track(found, f"reading {name} {split}", unit="samples")
            for sample in self.missing.kept(name, split, reading):
                if not has_answer(sample):
                    left += 1
                elif long.takes(sample):
                    samples.append(sample)
                    if tasks is not None:
                        tasks[sample.task] += 1
        if left:
            self.log.write(
                "event", self.stage.name, text=f"{name}: {left} samples without an answer left out"
            )
        whole = islice(samples, len(samples) if crops else 0)
        for copy in cropped_copies(whole, crops, self.stage.crop_reach, self.recipe.seed):
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
