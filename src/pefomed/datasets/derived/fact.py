"""What a picture's boxes say, and one thing that they say: a question in several wordings with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pefomed.schema import Box, Sample


@dataclass(frozen=True)
class Picture:
    """An image with the boxes of everything that is labelled in it."""

    image: str
    """Its path."""
    boxes: Mapping[str, tuple[Box, ...]]
    """Name -> its boxes, in fractions of the image; at least one each."""
    absent: tuple[str, ...] = ()
    """Names of what is known to be nowhere in it."""
    meta: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One thing that can be asked about one image."""

    image: str
    kind: str
    subject: str
    """Questions of one kind about one subject differ in image and wording alone: answers are balanced."""
    questions: tuple[str, ...]
    """Every wording, each with the same answer."""
    answer: str

    @property
    def closed(self) -> bool:
        """Whether it is answered by yes or no."""
        return self.answer.casefold() in ("yes", "no")


def pictures_of(samples: list[Sample]) -> list[Picture]:
    """Return the pictures of samples that ask for boxes (`refer`), in the order of their first sample.

    Samples of several images are left aside. What one sample has boxes of is there, whatever another says.
    """
    found: dict[str, dict[str, tuple[Box, ...]]] = {}
    first: dict[str, Sample] = {}
    for sample in samples:
        if len(sample.images) != 1:
            continue
        [image] = sample.images
        first.setdefault(image, sample)
        places = found.setdefault(image, {})
        places[sample.question] = places.get(sample.question, ()) + sample.boxes
    return [
        Picture(
            image,
            {name: boxes for name, boxes in places.items() if boxes},
            tuple(name for name, boxes in places.items() if not boxes),
            {key: text for key, text in first[image].meta.items() if key not in ("category", "boxes")},
            first[image].owners,
        )
        for image, places in found.items()
    ]
