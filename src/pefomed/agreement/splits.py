"""The splits of a run that raters labelled: their samples with the model's answers, by task's scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from pefomed.agreement.raters import scale_of
from pefomed.evaluation.item_scores import ItemTable, item_table
from pefomed.evaluation.predictions import answered_splits, read_samples
from pefomed.evaluation.score import numbered
from pefomed.evaluation.staleness import check_asked
from pefomed.files import jsonl
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample
from pefomed.tasks import Scale


@dataclass(frozen=True)
class RatedSplit:
    """The samples of one split on one scale, N of them, in the file's order."""

    dataset: str
    split: str
    scale: Scale
    samples: list[Sample]
    answers: Mapping[str, str]
    """Sample id -> the model's answer."""
    values: ItemTable
    """What each metric says of them."""

    @property
    def ids(self) -> list[str]:
        return [sample.id for sample in self.samples]

    @property
    def clusters(self) -> NDArray[np.int64]:
        """Number of each sample's image, shape (N,)."""
        return numbered([sample.images for sample in self.samples])


def read_splits(run: Path) -> list[RatedSplit]:
    """Return every split of `run` that can be judged, one for each scale that occurs in it.

    Raises:
        RunError: an id occurs twice, or answers are to other questions.
        DataError: a record is not valid.
    """
    splits = []
    files = RunFolder(run)
    for split in answered_splits(run):
        if not files.samples_file(split).exists():  # named in the recipe, not answered yet
            continue
        samples = read_samples(run, split)
        answers_path = files.predictions_file(split)
        predictions = list(jsonl.read(answers_path, Prediction))
        check_asked(samples, predictions, answers_path)
        answers = {prediction.sample_id: prediction.text for prediction in predictions}
        by_scale: dict[Scale, list[Sample]] = {
            scale: [sample for sample in samples if scale_of(sample) == scale] for scale in get_args(Scale)
        }
        if any(by_scale.values()):
            values = item_table(run, split, samples, {"model": answers}, "words", "texts")
            splits += [
                RatedSplit(*split, scale, chosen, answers, values)
                for scale, chosen in by_scale.items()
                if chosen
            ]
    return splits
