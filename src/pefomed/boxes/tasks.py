"""What samples with boxes hold."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.schema import Box, Sample
from pefomed.tasks import BOXES


def has_answer(sample: Sample) -> bool:
    """Return whether there is something to train on or to compare with."""
    return bool(sample.boxes) if sample.task in BOXES else bool(sample.reference.strip())


def how_many(boxes: Sequence[Box]) -> str:
    """Return what `meta` says about the number of boxes."""
    return "1" if len(boxes) == 1 else "several"
