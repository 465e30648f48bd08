"""What is scored where boxes are answered: phrases with their boxes, and the boxes an answer gives them.

`refer` and `detection` samples are one phrase each, and every box of the answer is meant for it. A
`grounding` sample is as many items as its caption marks phrases: an answer's boxes count for the phrase
they are written behind, the second phrase of the same words for the second. A phrase the answer does not
mark has no boxes. Boxes are compared in the original image: the preprocessing is undone, what lies
beyond the image's edge is cut off, and a box of nothing but padding is kept in mind as `outside`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pefomed.boxes import BoxReading, PlacedBoxes, Writing
from pefomed.boxes.marks import marked_phrases
from pefomed.boxes.samples import how_many
from pefomed.metrics.normalise import plain
from pefomed.recipe import Recipe
from pefomed.schema import Box, Sample
from pefomed.tasks import BOXES, MARKED


@dataclass(frozen=True)
class PhraseItem:
    """A phrase and its boxes."""

    place: int
    """Place of its sample."""
    phrase: str
    occurrence: int
    """How many phrases of the same words stand before it in the sample."""
    boxes: tuple[Box, ...]
    meta: Mapping[str, str]
    """Of the sample, with the item's own `category` and `boxes` (`1`, `several` or `none`)."""

    @property
    def category(self) -> str:
        """The meta value, or else the phrase itself."""
        return self.meta["category"]


def are_known(samples: Sequence[Sample], recipe: Recipe | None) -> bool:
    """Return whether the right boxes of these samples are known, if only that there are none.

    A table of somebody else's texts holds no boxes, whatever task it names.
    """
    return recipe is not None or any(sample.boxes or "boxes" in sample.meta for sample in samples)


def items_of(samples: Sequence[Sample]) -> list[PhraseItem]:
    """Return the phrases of all samples whose answers hold boxes, in order.

    Raises:
        DataError: a caption's mark names a box that is not there.
    """
    items = []
    spelt: dict[str, str] = {}  # a label and the word of a caption are one category
    for place, sample in enumerate(samples):
        if sample.task in BOXES:
            category = sample.meta.get("category") or sample.question
            meta = {**sample.meta, "category": spelt.setdefault(plain(category), category)}
            meta["boxes"] = how_many(sample.boxes)
            items.append(PhraseItem(place, sample.question, 0, sample.boxes, meta))
        elif sample.task in MARKED:
            seen: Counter[str] = Counter()
            for phrase, boxes in marked_phrases(sample):
                name = plain(phrase)
                meta = {**sample.meta, "category": spelt.setdefault(name, name), "boxes": how_many(boxes)}
                items.append(PhraseItem(place, phrase, seen[name], boxes, meta))
                seen[name] += 1
    return items


def phrase_keys(items: Sequence[PhraseItem], samples: Sequence[Sample]) -> list[tuple[str, int]]:
    """Return each phrase's sample id, and how many phrases of the sample stand before it."""
    seen: Counter[int] = Counter()
    keys = []
    for item in items:
        keys.append((samples[item.place].id, seen[item.place]))
        seen[item.place] += 1
    return keys


def readings_of(texts: Sequence[str], writing: Writing) -> list[BoxReading]:
    """Return what each answer says about boxes."""
    return [writing.read(text) for text in texts]


def answers_of(
    items: Sequence[PhraseItem], samples: Sequence[Sample], readings: Sequence[BoxReading], writing: Writing
) -> list[PlacedBoxes]:
    """Return the boxes given to each item.

    Args:
        samples: what the items are of.
        readings: of the answer to each sample.

    Raises:
        DataError: images are letterboxed, and a sample does not say how large its image is.
    """
    answers = []
    for item in items:
        sample, reading = samples[item.place], readings[item.place]
        boxes = reading.boxes if sample.task in BOXES else _of_phrase(item, reading)
        readable = sample.task not in BOXES or bool(boxes) or reading.says_none
        answers.append(writing.placed(boxes, sample.size)._replace(readable=readable))
    return answers


def written_and_read(
    items: Sequence[PhraseItem], samples: Sequence[Sample], writing: Writing
) -> list[PlacedBoxes]:
    """Return the items' own boxes, written as an answer and read again: what bins and pixels cost."""
    answers = []
    for item in items:
        frame = writing.resizing.frame(samples[item.place].size)
        text = writing.format.boxes([frame.to_model(box) for box in item.boxes])
        boxes = writing.format.read(text).boxes
        answers.append(PlacedBoxes(writing.placed(boxes, samples[item.place].size).boxes))
    return answers


def _of_phrase(item: PhraseItem, reading: BoxReading) -> tuple[Box, ...]:
    same = [boxes for phrase, boxes in reading.phrases if plain(phrase) == plain(item.phrase)]
    return same[item.occurrence] if item.occurrence < len(same) else ()
