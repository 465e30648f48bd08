"""What a stage goes through: batches, samples and images of each data set, as `training/plan.py` deals them.

All rows of a data set are taken to be of its mean length, so nothing is padded and no batch ends early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pefomed.cost.counts import Count
from pefomed.recipe import Stage


@dataclass(frozen=True)
class StageShare:
    """The share of one data set in a stage, in one process."""

    name: str
    count: Count
    batches: float
    rows: float
    """Rows in all its batches."""
    samples_per_row: float

    @property
    def samples(self) -> float:
        """Samples trained on, repetitions included."""
        return self.rows * self.samples_per_row

    @property
    def image_uses(self) -> float:
        """Times that an image's features are asked for."""
        return self.rows * self.count.images_each

    @property
    def passes(self) -> float:
        """Times that each sample is seen."""
        return self.samples / self.count.samples

    @property
    def reached(self) -> float:
        """Distinct images that any step asks for: a data set is gone through before it repeats."""
        return min(float(self.count.images), self.image_uses)


def parts(
    stage: Stage, counts: Mapping[str, Count], tokens_per_image: int, text_tokens: float
) -> list[StageShare]:
    """Return what one process goes through in `stage`.

    Args:
        text_tokens: mean tokens of a sample without its image: instruction, question and answer.
    """
    per_batch, per_row, rows = {}, {}, {}
    for name, count in counts.items():
        sharing = count.samples * count.images_each / count.images if stage.share_image else 1.0
        per_row[name] = min(max(sharing, 1.0), float(stage.max_questions))
        rows[name] = count.samples / per_row[name]
        length = count.images_each * tokens_per_image + per_row[name] * text_tokens
        fitting = int(min(stage.batch_tokens / length, stage.batch_size / per_row[name]))
        per_batch[name] = min(float(max(1, fitting)), rows[name])
    total = sum(stage.data.values())
    if stage.steps is not None:
        batches = float(stage.steps * stage.accumulate)
    else:
        assert stage.epochs is not None
        # An epoch is as many samples as there are; a batch has as many as the ratios make of the data sets.
        mean = sum(stage.data[name] / total * per_batch[name] * per_row[name] for name in counts)
        batches = max(1.0, stage.epochs * sum(count.samples for count in counts.values()) / mean)
    return [
        StageShare(
            name,
            count,
            batches * stage.data[name] / total,
            batches * stage.data[name] / total * per_batch[name],
            per_row[name],
        )
        for name, count in counts.items()
    ]
