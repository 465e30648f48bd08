"""The masks of phrases, read for the Dice with the boxes of answers (`metrics.mask_dice`).

A mask is what all files of the phrase hold together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.sample_masks import read_mask
from pefomed.errors import DataError
from pefomed.images.stored_values import stored_values
from pefomed.metrics.mask_dice import mask_dice
from pefomed.progress import track
from pefomed.schema import Box, Mask, Outline, Sample

PhraseMasks = Sequence[Mask | Outline]


def mask_values(
    masks: Sequence[PhraseMasks], systems: Sequence[Sequence[Sequence[Box]]]
) -> NDArray[np.float64]:
    """Return the Dice of each system's boxes for each item, (S, N); NaN where an item has no mask.

    An outline without a pixel's centre inside is none.

    Each mask is read once, and one is in memory at a time.

    Args:
        masks: of each item.
        systems: of each system, the boxes given to each item.

    Raises:
        DataError: a mask has changed, or those of an item differ in size.
        ImageError: a mask is gone, or cannot be read.
    """
    read = lru_cache(maxsize=1)(stored_values)
    columns = np.full((len(systems), len(masks)), np.nan)
    for place, of_phrase in enumerate(track(masks, "reading masks", len(masks), "phrases")):
        if of_phrase:
            mask = _union([read_mask(each, read) for each in of_phrase], of_phrase[0])
            if mask.any():
                columns[:, place] = [mask_dice(mask, boxes[place]) for boxes in systems]
    return columns


def masks_now(sample: Sample, now: Sample) -> tuple[Mask | Outline, ...]:
    """Return where a sample's masks lie now; those that have changed since stay what they were."""
    known, held_now = ([_held(mask) for mask in each.masks] for each in (sample, now))
    return now.masks if not known or known == held_now else sample.masks


def _held(mask: Mask | Outline) -> object:
    """Return what a mask is, wherever it lies."""
    return mask.digest if isinstance(mask, Mask) else mask


def _union(masks: Sequence[NDArray[np.bool_]], first: Mask | Outline) -> NDArray[np.bool_]:
    if len({mask.shape for mask in masks}) > 1:
        place = first.path if isinstance(first, Mask) else "outlines of a sample"
        raise DataError(
            f"{place}: the masks of a phrase differ in size",
            found=", ".join(f"{mask.shape[1]} x {mask.shape[0]}" for mask in masks),
        )
    return reduce(np.logical_or, masks)
