"""95 % intervals of figures that are no functions of sums: they are computed anew without each image.

The order of answers (AURC, AUROC) or the ends of bins (calibration error) change with what is left out, so
that `figure_intervals` cannot add anything up. Variance and limits are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.statistics.interval import NONE, NOTHING, Interval, too_few
from pefomed.metrics.statistics.jackknife import grouped, variance_of, worth_in_images
from pefomed.metrics.statistics.limits import KORN_GRAUBARD, korn_graubard

MOST_LEFT_OUT = 200
"""Images left out one at a time at most; more are left out in so many groups, as each costs a computation."""

Computed = Callable[[NDArray[np.bool_]], Sequence[float]]
"""Items that are there, shape (N,) -> M figures in [0, 1], NaN where there is none."""


def left_out_intervals(
    computed: Computed, clusters: NDArray[np.int64], *, draws: int, seed: int = 0, by: str = "image"
) -> list[Interval | None]:
    """Return the 95 % intervals of M figures.

    Args:
        clusters: the number of each item's cluster, shape (N,).
        draws: images left out at most, and 0 for no interval.
        seed: decides the groups.
    """
    everything = np.ones(len(clusters), dtype=np.bool_)
    values = np.asarray(computed(everything), dtype=np.float64)
    if draws == 0 or not len(clusters):
        return [None] * len(values)
    _, codes = np.unique(clusters, return_inverse=True)
    count = int(codes.max()) + 1
    images = worth_in_images(np.bincount(codes).astype(np.float64))
    if why := too_few(count, images, by):
        return [why if np.isfinite(value) else None for value in values]
    groups, number = grouped(codes, min(draws, MOST_LEFT_OUT), seed)
    without = np.array([computed(groups != group) for group in range(number)], dtype=np.float64)
    variances = variance_of(without - values, number)
    how = f"by {by}" if number == count else f"by {number:,} groups of {count:,} {by}s, seed {seed}"
    worth = min(images, float(number))
    return [_interval(*one, worth, how, by) for one in zip(values.tolist(), variances.tolist(), strict=True)]


def _interval(value: float, variance: float, images: float, how: str, by: str) -> Interval | None:
    if not np.isfinite(value):
        return None
    if np.isnan(variance):
        return Interval(None, None, f"{NONE}no value without some {by}s")
    if variance**0.5 <= NOTHING:
        return Interval(None, None, f"{NONE}nothing varies: the same without any {by}")
    return Interval(*korn_graubard(value, variance, images), f"95 % {how}, jackknife, {KORN_GRAUBARD}")
