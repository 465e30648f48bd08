"""Which answers the item browser calls right: by exact match where it means something, of boxes by their IoU.

Exact match says nothing of reports and captions, nor of answers in whole sentences: of these only answers to
closed questions are right or wrong, by their yes or no.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pefomed import tasks
from pefomed.evaluation.groups import is_closed
from pefomed.metrics import lookup
from pefomed.metrics.lookup import metric_of, named
from pefomed.metrics.sentences import in_sentences
from pefomed.report.box_answers import RIGHT, BoxAnswer
from pefomed.report.figures import metric_title
from pefomed.report.run import ReportedSplit
from pefomed.schema import Prediction, Sample


class JudgedTasks(NamedTuple):
    """What is right or wrong in one split."""

    tasks: frozenset[str]
    """Those whose answers exact match judges."""
    spoken: bool
    """Whether answers to questions are whole sentences."""


@dataclass(frozen=True)
class Correctness:
    """The verdicts an item can have: by exact match and of closed questions, boxes beside them in each."""

    words: bool
    """Whether any answer is judged by exact match."""
    spoken: frozenset[tuple[str, str]]
    """Data sets and splits whose answers are whole sentences, with closed questions among them."""
    boxes: bool

    @property
    def titles(self) -> list[str]:
        """What the verdicts are called, in the order of `verdicts`."""
        by_iou = f"IoU ≥ {RIGHT}"
        names = [metric_title(metric) for metric in self._metrics]
        if self.boxes and not names:
            return [by_iou]
        return [name + (f", boxes {by_iou}" if self.boxes else "") for name in names]

    @property
    def _metrics(self) -> tuple[str, ...]:
        return (*(named("exact") if self.words else ()), *(named("closed") if self.spoken else ()))

    @property
    def nobody(self) -> list[int | None]:
        """The verdicts of an answer that nothing is said of."""
        return [None] * len(self.titles)

    def verdicts(
        self,
        sample: Sample,
        prediction: Prediction | None,
        judged: JudgedTasks,
        boxes: BoxAnswer | None,
        value_of: Callable[[str], float],
    ) -> list[int | None] | None:
        """Return 1 for right and 0 for wrong for each of `titles`, None where nothing is said.

        Args:
            judged: what is judged in the sample's split.
            boxes: what the answer says about boxes.
            value_of: what a metric says of the answer; NaN for nothing.
        """
        if prediction is None:
            return None
        if boxes is not None:
            return None if boxes.right is None else [int(boxes.right)] * len(self.titles)
        values = [value_of(name) if self._says(name, sample, judged) else math.nan for name in self._metrics]
        said = [None if math.isnan(value) else int(value) for value in values]
        return said if any(one is not None for one in said) else None

    @staticmethod
    def _says(metric: str, sample: Sample, judged: JudgedTasks) -> bool:
        if metric_of(metric).section == "exact":
            return sample.task in judged.tasks
        return judged.spoken and sample.task in tasks.WORDS and is_closed(sample.meta)


def correctness(answered: Sequence[ReportedSplit]) -> Correctness:
    """Return what the answers of a run can be judged by."""
    words = boxes = False
    spoken: set[tuple[str, str]] = set()
    for split in answered:
        judged = judged_in(split)
        words |= any(sample.task in judged.tasks for sample in split.samples)
        boxes |= any(sample.task in tasks.WITH_BOXES for sample in split.samples)
        if judged.spoken and any(
            sample.task in tasks.WORDS and is_closed(sample.meta) for sample in split.samples
        ):
            spoken.add((split.dataset, split.split))
    return Correctness(words=words, spoken=frozenset(spoken), boxes=boxes)


def judged_in(split: ReportedSplit) -> JudgedTasks:
    """Return what of a split is right or wrong as a whole; a report or caption is neither."""
    spoken = speaks(split)
    return JudgedTasks(frozenset(() if spoken else tasks.WORDS), spoken)


def speaks(split: ReportedSplit) -> bool:
    """Return whether the model answers a split's questions in whole sentences."""
    correct = lookup.correctness()
    asked = [
        sample.id for sample in split.samples if sample.task in tasks.WORDS and sample.id in split.predictions
    ]
    right = [split.values.value(correct.name, sample_id) == 1.0 for sample_id in asked]
    return in_sentences([split.predictions[sample_id].text for sample_id in asked], right)
