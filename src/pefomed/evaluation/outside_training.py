"""What somebody else's model was trained on, so that its answers have floors that learn from it.

Kept in the run's folder as `training.jsonl`, samples as they are everywhere. A row that is asked about again
is refused: a floor that has seen the answer is none, and neither is the model's figure what it seems.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pefomed.audit.text import normalised
from pefomed.errors import DataError, listed
from pefomed.evaluation.same_images import contents
from pefomed.files import jsonl
from pefomed.runs import RunFolder
from pefomed.schema import Sample

TRAIN = "train"
"""What the split is called in the text behind a score."""


def read_training(run: Path) -> list[Sample]:
    """Return the training samples of a run of somebody else's answers.

    Raises:
        DataError: a record is not valid.
    """
    return list(jsonl.read(RunFolder(run).outside_training_file, Sample))


def check_apart(training: Sequence[Sample], asked: Sequence[Sample], file: Path) -> None:
    """Refuse training rows of the same picture, task and question as an answered one.

    Pictures are the same if their files hold the same bytes, texts but for case and spaces. Where the tables
    name no pictures nothing can be said.

    Args:
        file: the training table.

    Raises:
        DataError: there are some; the ids are named.
    """
    named = contents(path for sample in (*training, *asked) for path in sample.images)

    def key(sample: Sample) -> tuple[object, ...]:
        return (*(named[path] for path in sample.images), sample.task, normalised(sample.question))

    trained = {key(sample) for sample in training}
    both = [sample.id for sample in asked if key(sample) in trained]
    if both:
        raise DataError(
            f"{file} holds rows of the test: the same picture and the same question",
            found=f"{len(both)} of {len(asked)} samples: {listed(both)}",
            remedy="take them out of the training table: a floor that has seen the answers is none",
        )
