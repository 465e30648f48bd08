"""What can be asked about a phrase and its boxes: one sample for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator

from pefomed.boxes.marks import tagged_phrase
from pefomed.boxes.samples import how_many
from pefomed.schema import Box, OneOf, Sample
from pefomed.tasks import ON_PHRASES

BoxTask = Annotated[str, AfterValidator(OneOf(ON_PHRASES))]


def samples_of(
    stem: str,
    image: str,
    size: tuple[int, int] | None,
    phrase: str,
    boxes: Sequence[Box],
    meta: Mapping[str, str],
    tasks: Sequence[BoxTask],
) -> Iterator[Sample]:
    """Yield a sample for each of `tasks`, its id `stem` and the task.

    `refer` and `detection` ask for the boxes of the phrase, `identify` for the phrase of the boxes.
    `meta` gets `boxes`: `1`, `several`, or `none` for a phrase that is nowhere in the image, of which
    `identify` has nothing to ask.

    Args:
        size: width and height of the image in pixels, if they are known.
    """
    for task in tasks:
        if task == "identify" and not boxes:
            continue
        asked, answer = ("", phrase) if task == "identify" else (phrase, "")
        yield Sample(
            id=f"{stem}-{task}",
            images=(image,),
            task=task,
            question=asked,
            reference=answer,
            boxes=tuple(boxes),
            size=size,
            meta={**meta, "boxes": how_many(boxes)},
        )


def marked_phrase(phrase: str, first: int, count: int) -> str:
    """Return a phrase of a grounding caption, marked with the numbers of its boxes: `<p>liver</p>{0,1}`."""
    return f"{tagged_phrase(phrase)}{{{','.join(str(first + number) for number in range(count))}}}"


def is_chosen(boxes: Sequence[Box], chosen: Literal["all", "one", "several"]) -> bool:
    """Return whether a phrase with these boxes belongs to a loader's option `boxes`."""
    return chosen == "all" or how_many(boxes) == ("1" if chosen == "one" else chosen)
