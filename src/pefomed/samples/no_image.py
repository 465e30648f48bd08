"""Samples of tables that name no picture: what stands in the picture's place."""

from __future__ import annotations

from pefomed.schema import Sample

NO_IMAGE = "no image of "
"""What stands, before the id, for the image of a sample without one."""


def no_image(sample_id: str) -> str:
    """Return what stands in the place of a picture's path."""
    return f"{NO_IMAGE}{sample_id}"


def has_no_image(sample: Sample) -> bool:
    """Return whether a sample has no picture at all."""
    return sample.images == (no_image(sample.id),)
