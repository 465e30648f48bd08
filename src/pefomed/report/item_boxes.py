"""Boxes of an item as the browser draws, sorts and filters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.boxes.marks import marked_phrases
from pefomed.boxes.reading import State
from pefomed.metrics.laterality import side_of
from pefomed.metrics.phrase_items import items_of
from pefomed.report.box_answers import BoxAnswer
from pefomed.schema import Box, Sample
from pefomed.tasks import MARKED

SIDE = "side: reference / answer"
"""What items are filtered by for the confusion of sides."""

STATES: dict[State, str] = {
    "strict": "as asked for",
    "repaired": "repaired",
    "empty": "empty",
    "unparsable": "no readable box",
}

NONE = "no box, as it says"

Drawn = list[Any]
"""x0, y0, x1, y1 in fractions of the image, and the phrase where there are several."""


def reference_boxes(sample: Sample) -> list[Drawn]:
    """Return a sample's own boxes; in a caption with the phrases that they belong to."""
    names = {}
    if sample.task in MARKED:
        names = {box: phrase for phrase, boxes in marked_phrases(sample) for box in boxes}
    return [_drawn(names.get(box, ""), box) for box in sample.boxes]


def answer_fields(answer: BoxAnswer | None) -> dict[str, Any]:
    """Return what an answer has more than its text; nothing for answers in words."""
    if answer is None:
        return {}
    return {
        "boxes": [_drawn(name, box) for name, box in answer.reading.boxes],
        "iou": None if answer.iou is None else round(answer.iou, 4),
        "phrases": [[phrase.text, round(phrase.iou, 4)] for phrase in answer.phrases],
        "state": answer.reading.state,
        "repairs": list(answer.reading.repairs),
        **({"none": True} if answer.reading.says_none else {}),
        "mistaken": any(phrase.mistaken for phrase in answer.phrases),
    }


def box_marks(answer: BoxAnswer | None) -> dict[str, list[str]]:
    """Return what an item can be filtered by: how its answer could be read, and the sides."""
    if answer is None:
        return {}
    sides = [f"{side_of(phrase.boxes)} / {side_of(phrase.given)}" for phrase in answer.phrases]
    return {
        "answer": [NONE if answer.reading.says_none else STATES[answer.reading.state]],
        SIDE: list(dict.fromkeys(sides)),
    }


def meta_of(sample: Sample) -> dict[str, list[str]]:
    """Return the meta values that evaluation groups a sample's phrases by and that its own lack."""
    by_key: dict[str, list[str]] = {"category": [], "boxes": []}
    for item in items_of([sample]):
        for key, values in by_key.items():
            if item.meta[key] not in values:
                values.append(item.meta[key])
    return {key: values for key, values in by_key.items() if values}


def _drawn(name: str, box: Box) -> Drawn:
    corners: Sequence[float] = (box.x0, box.y0, box.x1, box.y1)
    return [*(round(value, 4) for value in corners), *([name] if name else [])]
