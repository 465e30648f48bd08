"""What samples with boxes hold."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.schema import Box, Sample
from pefomed.tasks import BOXES

NONE = "none"
"""What `meta` says of a phrase that is nowhere in the image."""


def has_answer(sample: Sample) -> bool:
    """Return whether there is something to train on or to compare with."""
    return sample.task in BOXES or bool(sample.reference.strip())


def is_absent(sample: Sample) -> bool:
    """Return whether the right answer is that there is no box."""
    return sample.task in BOXES and not sample.boxes


def how_many(boxes: Sequence[Box]) -> str:
    """Return what `meta` says about the number of boxes."""
    return NONE if not boxes else "1" if len(boxes) == 1 else "several"
