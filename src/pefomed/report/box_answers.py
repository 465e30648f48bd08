"""What a run's answers say about boxes, phrase by phrase, as evaluation reads and compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from pefomed.answers.writing import writing_of
from pefomed.boxes import Writing
from pefomed.boxes.matching import TOLERANCE
from pefomed.boxes.reading import State
from pefomed.evaluation.item_scores import ItemTable
from pefomed.metrics.laterality import MISTAKES
from pefomed.metrics.phrase_items import answers_of, are_known, items_of, phrase_keys, readings_of
from pefomed.recipe import Recipe
from pefomed.report.run import ReportedSplit
from pefomed.schema import Box, Prediction, Sample
from pefomed.tasks import MARKED, WITH_BOXES

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
    boxes: tuple[tuple[str, Box], ...]
    """Every box of the answer that lies in the image, with the phrase it is marked with."""
    state: State
    says_none: bool
    repairs: tuple[str, ...]

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
    writing = writing_of(recipe)
    if not are_known(samples, recipe):
        return {}
    systems = {"model": split.predictions, "blind": split.blind}
    return {
        name: _of_system(samples, given, writing, split.values, name)
        for name, given in systems.items()
        if given and samples
    }


def _of_system(
    samples: Sequence[Sample],
    given: Mapping[str, Prediction],
    writing: Writing,
    values: ItemTable,
    system: str,
) -> dict[str, BoxAnswer]:
    answered = [sample for sample in samples if sample.id in given]
    readings = readings_of([given[sample.id].text for sample in answered], writing)
    items = items_of(answered)
    phrases: list[list[AnsweredPhrase]] = [[] for _ in answered]
    answers = answers_of(items, answered, readings, writing)
    for item, answer, key in zip(items, answers, phrase_keys(items, answered), strict=True):
        iou = values.value("iou", *key, system=system)
        mistaken = values.value(MISTAKES, *key, system=system) == 1.0
        phrases[item.place].append(AnsweredPhrase(item.phrase, item.boxes, answer.boxes, iou, mistaken))
    found = {}
    for sample, reading, mine in zip(answered, readings, phrases, strict=True):
        frame = writing.resizing.frame(sample.size)
        marked = reading.phrases if sample.task in MARKED else ()
        names = {box: phrase for phrase, boxes in marked for box in boxes}
        boxes = [(names.get(box, ""), frame.to_image(box)) for box in reading.boxes]
        found[sample.id] = BoxAnswer(
            sample_id=sample.id,
            images=sample.images,
            size=sample.size,
            phrases=tuple(mine),
            boxes=tuple((name, box) for name, box in boxes if box is not None),
            state=reading.state,
            says_none=reading.says_none,
            repairs=reading.repairs,
        )
    return found
