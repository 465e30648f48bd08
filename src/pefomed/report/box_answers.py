"""What a run's answers say about boxes, phrase by phrase, as evaluation read and compared them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from pefomed.boxes.matching import TOLERANCE
from pefomed.evaluation.box_readings import AnswerReading
from pefomed.evaluation.item_scores import ItemTable
from pefomed.metrics.laterality import MISTAKES
from pefomed.metrics.phrase_items import are_known, items_of, phrase_keys
from pefomed.recipe import Recipe
from pefomed.report.figures import IOU
from pefomed.report.run import ReportedSplit
from pefomed.schema import Box, Sample
from pefomed.tasks import WITH_BOXES

RIGHT = 0.5
"""IoU from which an answer counts as right."""


@dataclass(frozen=True)
class AnsweredPhrase:
    """One phrase with its reference boxes, none if it is absent, and an answer's, in the original image."""

    text: str
    boxes: tuple[Box, ...]
    given: tuple[Box, ...]
    iou: float
    mistaken: bool
    """Whether left was answered for right, or right for left."""


@dataclass(frozen=True)
class BoxAnswer:
    """One answer to a sample of boxes."""

    sample_id: str
    images: tuple[str, ...]
    size: tuple[int, int] | None
    phrases: tuple[AnsweredPhrase, ...]
    """A caption may mark several, other samples are one."""
    reading: AnswerReading
    """What the answer as a whole says about boxes."""

    @property
    def iou(self) -> float | None:
        """Mean over the phrases; None where there is none."""
        return mean(phrase.iou for phrase in self.phrases) if self.phrases else None

    @property
    def right(self) -> bool | None:
        return None if self.iou is None else self.iou >= RIGHT - TOLERANCE


def box_answers(split: ReportedSplit, recipe: Recipe | None) -> dict[str, dict[str, BoxAnswer]]:
    """Return system (`model`, `blind`) -> sample id -> its answer, of the samples that ask for boxes.

    Raises:
        DataError: a caption's mark names a box that is not there, or images are letterboxed and a sample
            does not say how large its image is.
    """
    samples = [sample for sample in split.samples if sample.task in WITH_BOXES]
    if not are_known(samples, recipe):
        return {}
    systems = {"model": split.predictions, "blind": split.blind}
    return {
        name: _of_system([sample for sample in samples if sample.id in given], split.values, name)
        for name, given in systems.items()
        if given and samples
    }


def _of_system(samples: Sequence[Sample], values: ItemTable, system: str) -> dict[str, BoxAnswer]:
    items = items_of(samples)
    phrases: list[list[AnsweredPhrase]] = [[] for _ in samples]
    for item, key in zip(items, phrase_keys(items, samples), strict=True):
        phrases[item.place].append(
            AnsweredPhrase(
                text=item.phrase,
                boxes=item.boxes,
                given=values.boxes(*key, system=system),
                iou=values.value(IOU, *key, system=system),
                mistaken=values.value(MISTAKES, *key, system=system) == 1.0,
            )
        )
    return {
        sample.id: BoxAnswer(
            sample_id=sample.id,
            images=sample.images,
            size=sample.size,
            phrases=tuple(of_sample),
            reading=values.reading(sample.id, system),
        )
        for sample, of_sample in zip(samples, phrases, strict=True)
    }
