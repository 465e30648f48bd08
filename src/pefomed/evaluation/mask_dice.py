"""Dice of the boxes of an answer with the mask of a phrase, where the reference boxes are those of masks.

With M the mask's pixels and P those whose centre lies in a box of the answer (left and upper edge included):

    mask_dice   2 |M and P| / (|M| + |P|)

A mask is what all files of the phrase hold together. Boxes are shares of the image, so a mask of another size
in the same proportions has its own pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.kept_masks import read_mask
from pefomed.errors import DataError
from pefomed.evaluation.score import Questions, made_score, said
from pefomed.images.stored_values import stored_values
from pefomed.metrics.statistics.interval import mean_interval
from pefomed.progress import track
from pefomed.schema import Box, Mask, Outline, Sample, Score

PhraseMasks = Sequence[Mask | Outline]

METRIC = "mask_dice"


def mask_dice(
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
    found = np.full((len(systems), len(masks)), np.nan)
    for place, kept in enumerate(track(masks, "reading masks", len(masks), "phrases")):
        if kept:
            mask = _union([read_mask(each, read) for each in kept], kept[0])
            if mask.any():
                found[:, place] = [dice_with(mask, boxes[place]) for boxes in systems]
    return found


def dice_with(mask: NDArray[np.bool_], boxes: Sequence[Box]) -> float:
    """Return the Dice of a mask (height, width) that is not empty, and the union of boxes."""
    inside = np.zeros_like(mask)
    height, width = mask.shape
    for box in boxes:
        inside[_centres(box.y0, box.y1, height), _centres(box.x0, box.x1, width)] = True
    return float(2 * (mask & inside).sum() / (mask.sum() + inside.sum()))


def score_masks(questions: Questions, values: NDArray[np.float64], system: str, how: str = "") -> list[Score]:
    """Return the mean for every group that has phrases with masks.

    Args:
        questions: the phrases' groups and images; its references are not read.
        values: of each phrase, (N,); NaN where it has no mask.
        how: how the answers came about.
    """
    implementation = said(METRIC, how)
    scores = []
    for group, places in questions.groups.items():
        chosen = places[~np.isnan(values[places])]
        if len(chosen):
            of_group = values[chosen]
            interval = mean_interval(
                of_group, questions.clusters[chosen], draws=questions.draws, by=questions.by
            )
            mean = float(of_group.mean())
            scores.append(
                made_score(questions, METRIC, system, group, mean, interval, len(chosen), implementation)
            )
    return scores


def masks_now(sample: Sample, now: Sample) -> tuple[Mask | Outline, ...]:
    """Return where a sample's masks lie now; those that have changed since stay what they were."""
    known, found = ([_held(mask) for mask in each.masks] for each in (sample, now))
    return now.masks if not known or known == found else sample.masks


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


def _centres(low: float, high: float, pixels: int) -> slice:
    """Return the pixels of a row or column whose centres lie in [low, high), as shares of its length."""
    # Rounded: a centre exactly on an edge is on the same side of it, whatever the edge's last digit.
    first, behind = (math.ceil(round(edge * pixels - 0.5, 6)) for edge in (low, high))
    return slice(first, behind)
