"""Which answers the item browser calls right: by exact match, and of boxes by their IoU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pefomed.boxes import tasks
from pefomed.evaluate.exact_match import METRICS
from pefomed.evaluate.references import best
from pefomed.evaluate.run import TEMPLATED
from pefomed.evaluate.run_answers import SHORT
from pefomed.recipe import Recipe
from pefomed.report.figures import metric_title
from pefomed.report.located import RIGHT, Located
from pefomed.report.run import Answered
from pefomed.schema import Prediction, Sample


@dataclass(frozen=True)
class Rightness:
    """The verdicts an item can have: those of each exact match, with boxes beside them in every one."""

    words: bool
    """Whether any answer is judged by its words."""
    boxes: bool

    @property
    def titles(self) -> list[str]:
        """What the verdicts are called, in the order of `verdicts`."""
        by_iou = f"IoU ≥ {RIGHT}"
        if self.boxes and not self.words:
            return [by_iou]
        return [metric_title(metric) + (f", boxes {by_iou}" if self.boxes else "") for metric in METRICS]

    @property
    def nobody(self) -> list[int | None]:
        """The verdicts of an answer that nothing is said of."""
        return [None] * len(self.titles)

    def verdicts(
        self, sample: Sample, prediction: Prediction | None, judged: frozenset[str], boxes: Located | None
    ) -> list[int] | None:
        """Return 1 for right and 0 for wrong for each of `titles`, None where nothing is said.

        Args:
            judged: the tasks whose words are judged, of `judged_tasks`.
            boxes: what the answer says about boxes.
        """
        if prediction is None:
            return None
        if boxes is not None:
            return None if boxes.right is None else [int(boxes.right)] * len(self.titles)
        if sample.task not in judged:
            return None
        return [int(best(metric, sample.references, prediction.text)) for metric in METRICS.values()]


def rightness(answered: Iterable[Answered], recipe: Recipe | None) -> Rightness:
    """Return what the answers of a run can be judged by."""
    asked = {(sample.task, split.dataset) for split in answered for sample in split.samples}
    words = any(task in judged_tasks(dataset, recipe) for task, dataset in asked)
    boxes = any(task in tasks.ANSWERED for task, _ in asked)
    return Rightness(words=words or not boxes, boxes=boxes)


def judged_tasks(dataset: str, recipe: Recipe | None) -> frozenset[str]:
    """Return the tasks whose answers are right or wrong as a whole; a report in free words is neither."""
    table = recipe.data.get(dataset) if recipe else None
    templated: Sequence[str] = ("caption", "report") if table and table.loader in TEMPLATED else ()
    return frozenset({*SHORT, *templated})
