"""The tasks that are about boxes, and what their samples hold."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.schema import Box, Sample

ASKED = ("refer", "detection")
"""A phrase is asked about; the answer is its boxes and nothing else, or that there is none."""

MARKED = "grounding"
"""The answer is a caption with boxes behind its phrases."""

ANSWERED = (*ASKED, MARKED)
"""Tasks whose answer holds boxes."""

IDENTIFY = "identify"
"""Boxes are asked about; the answer is their phrase."""

ALL = (*ANSWERED, IDENTIFY)
"""Tasks whose samples are about boxes; of `identify` they are the question."""

NONE = "none"
"""What `meta` says of a phrase that is nowhere in the image."""


def has_answer(sample: Sample) -> bool:
    """Return whether there is something to train on or to compare with."""
    return sample.task in ASKED or bool(sample.reference.strip())


def is_absent(sample: Sample) -> bool:
    """Return whether the right answer is that there is no box."""
    return sample.task in ASKED and not sample.boxes


def how_many(boxes: Sequence[Box]) -> str:
    """Return what `meta` says about the number of boxes."""
    return NONE if not boxes else "1" if len(boxes) == 1 else "several"
