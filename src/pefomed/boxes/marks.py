"""Captions with marked phrases: what they mark, and their text alone.

A reference marks a phrase and names its boxes by number, `The <p>liver</p>{0} and <p>kidneys</p>{1,2}.`;
an answer writes the boxes themselves, `The <p>liver</p>{<12><30><45><60>} ...`. Without its marks either
is `The liver and kidneys.`
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pefomed.errors import DataError
from pefomed.schema import Box, Sample
from pefomed.tasks import MARKED

REFERENCE = re.compile(r"<p>([^<>]*)</p>\{(\d{1,9}(?:,\d{1,9})*)\}")
"""A marked phrase of a reference: the phrase, the numbers of its boxes."""

# A run of spaces is looked at once, from its beginning: from each space it would take its length squared.
_MARKS = re.compile(
    r"(?<!\s)\s*+(?:\{\d+(?:,\d+)*\}|\{?(?:\s*+<\s*+-?\d[\d.]*+\s*+>)+(?:\s*+\})?|<delim>)|</?p>|\{\s*+\}",
    re.IGNORECASE,
)


class Marked(NamedTuple):
    """A phrase of a caption and its boxes."""

    phrase: str
    boxes: tuple[Box, ...]


def tagged_phrase(phrase: str) -> str:
    """Return a phrase as boxes stand behind it."""
    return f"<p>{phrase}</p>"


def marked_phrases(sample: Sample) -> list[Marked]:
    """Return the phrases that a sample's reference marks, in order.

    Raises:
        DataError: a mark names a box that the sample has not.
    """
    marked = []
    for match in REFERENCE.finditer(sample.reference):
        numbers = [int(number) for number in match[2].split(",")]
        if max(numbers) >= len(sample.boxes):
            raise DataError(
                f"sample {sample.id}: the phrase {match[1]!r} names a box that is not there",
                found=f"box {max(numbers)} of {len(sample.boxes)}",
                remedy="number the boxes from 0, or give the sample all its boxes",
            )
        marked.append(Marked(match[1].strip(), tuple(sample.boxes[number] for number in numbers)))
    return marked


def without_marks(text: str) -> str:
    """Return a caption's text without phrase tags, box numbers, boxes and pieces of boxes."""
    return " ".join(_MARKS.sub("", text).split())


def unmarked(sample: Sample) -> Sample:
    """Return a sample whose reference is text alone; only a grounded caption is another one then."""
    if sample.task not in MARKED:
        return sample
    first, *further = map(without_marks, sample.references)
    return sample.model_copy(update={"reference": first, "further_references": tuple(further)})


def unmarked_answers(answers: Sequence[str], samples: Sequence[Sample]) -> list[str]:
    """Return the answers to the samples, grounded captions without their marks."""
    return [
        without_marks(text) if sample.task in MARKED else text
        for text, sample in zip(answers, samples, strict=True)
    ]
