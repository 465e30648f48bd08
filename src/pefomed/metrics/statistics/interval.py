"""95 % intervals of figures over items that come in clusters: the questions of one image are not independent.

The variance comes from leaving out one image at a time (`jackknife`), the limits from that and the figure's
range (`limits`). Percentiles of a bootstrap by image would hold the truth in 70 to 93 % of the cases with 3
to 20 images, and of rare mistakes with a hundred; these do in 93 % (`benchmarks/levels.py`).

A figure that is no mean of items (BLEU, a mean over raters) is a function of sums over items:
`figure_intervals`.

Where every item is right, or every item wrong, nothing varies. There the exact binomial (Clopper-Pearson)
interval over the C images stands: [0.025^(1/C), 1] or [0, 1 - 0.025^(1/C)].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.statistics.jackknife import (
    Figures,
    figure_variances,
    grouped,
    mean_variances,
    worth_in_images,
)
from pefomed.metrics.statistics.limits import KORN_GRAUBARD, STUDENT, binomial, korn_graubard, student

DRAWS = 2000
"""Sign flips drawn for a p where they cannot be counted, and images left out for an interval at most."""

FEWEST, LEAST_WORTH = 3, 2
"""Images, and what unequal ones are worth in equal ones, below which there is no interval: none holds."""

NONE = "none: "
"""What the phrase of an interval that could not be made begins with."""

NOTHING = 1e-9
"""A standard error below this share of the range is none: BLEU's smoothing alone makes 1e-10."""


class Interval(NamedTuple):
    """Ends of an interval and a phrase that says how it was made; no ends, and why there are none."""

    low: float | None
    high: float | None
    how: str


def why_none(how: str) -> str:
    """Return in a few words why there is no interval, from its phrase; empty if there is one."""
    return how.removeprefix(NONE).partition(":")[0] if how.startswith(NONE) else ""


def mean_interval(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    *,
    top: float = 1.0,
    draws: int = DRAWS,
    by: str = "image",
) -> Interval | None:
    """Return the 95 % interval of the mean of values in [0, top]; top may be infinite.

    Args:
        values: one number per item, shape (N,).
        clusters: the number >= 0 of each item's cluster, shape (N,); need not be consecutive.
        draws: 0 for no interval.
        by: what a cluster is, for the phrase.

    Returns:
        None without items or draws.
    """
    return mean_intervals(values[:, None], clusters, top=top, draws=draws, by=by)[0]


def mean_intervals(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    *,
    top: float = 1.0,
    draws: int = DRAWS,
    by: str = "image",
) -> list[Interval | None]:
    """Return the 95 % intervals of K means, values of shape (N, K); otherwise as `mean_interval`."""
    if draws == 0 or len(values) == 0:
        return [None] * values.shape[1]
    _, codes = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)  # (C,)
    sums = cluster_sums(values, codes)  # (C, K)
    images = worth_in_images(sizes)
    variances = mean_variances(sums, sizes) if len(sizes) > 1 else np.zeros(values.shape[1])
    intervals: list[Interval | None] = []
    for column, variance in zip(values.T, variances.tolist(), strict=True):
        if top < np.inf and (np.all(column == 0.0) or np.all(column == top)):
            intervals.append(alike(float(column[0]), len(sizes), by, top))
        elif why := too_few(len(sizes), images, by):
            intervals.append(why)
        else:
            # Worth as many items as there are at most, where each is right or wrong.
            items = len(column) if np.all((column == 0.0) | (column == top)) else 0
            intervals.append(_varying(float(column.mean()), variance, images, (0.0, top), items, f"by {by}"))
    return intervals


def figure_intervals(
    sums: NDArray[np.float64],
    clusters: NDArray[np.int64],
    figures: Figures,
    *,
    tops: Sequence[float] = (1.0,),
    fewest: Sequence[int] = (1,),
    known: NDArray[np.bool_] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> list[Interval | None]:
    """Return the 95 % intervals of M figures that are functions of sums over items.

    Args:
        sums: what is added up, K numbers per item, shape (N, K); an item of zeros is none.
        clusters: the number of each item's cluster, shape (N,).
        figures: the M figures of totals of shape (D, K), shape (D, M); NaN where there is none.
        tops: the largest value of each figure, or one for all; the least is 0.
        known: the items that the figures are about, shape (N,), where others only say how much these weigh.
        fewest: items below which each figure, or all, has no interval that holds what it says.
        draws: images left out at most, more in so many groups; 0 for no interval.
        seed: decides the groups.
    """
    counted: NDArray[np.bool_] = np.any(sums != 0, axis=1)
    about: NDArray[np.bool_] = counted if known is None else np.logical_and(known, counted)
    values = figures(sums.sum(0, keepdims=True))[0]
    if draws == 0 or not about.any():
        return [None] * len(values)
    _, codes = np.unique(clusters[counted], return_inverse=True)
    groups, number = grouped(codes, draws, seed)
    images = worth_in_images(np.bincount(groups[about[counted]]).astype(np.float64))
    all_images, count = int(codes.max()) + 1, len(np.unique(codes[about[counted]]))
    added = cluster_sums(sums[counted], groups)
    variances = figure_variances(added, figures, values) if number > 1 else np.zeros(len(values))
    how = f"by {by}"
    if number < all_images:
        how = f"by {number:,} groups of {all_images:,} {by}s, seed {seed}"
    intervals: list[Interval | None] = []
    for place, (value, variance) in enumerate(zip(values.tolist(), variances.tolist(), strict=True)):
        top = tops[place % len(tops)]
        if not np.isfinite(value):
            intervals.append(None)
        elif np.isnan(variance):
            intervals.append(Interval(None, None, f"{NONE}no value without some {by}s"))
        elif top < np.inf and value in (0.0, top) and variance**0.5 <= NOTHING * top:
            intervals.append(alike(value, count, by, top))
        elif why := too_few(count, images, by):
            intervals.append(why)
        elif about.sum() < (least := fewest[place % len(fewest)]):
            intervals.append(
                Interval(None, None, f"{NONE}too few items: {about.sum():,}, {least} are needed")
            )
        else:
            intervals.append(_varying(value, variance, images, (0.0, top), 0, how))
    return intervals


def too_few(count: int, images: float, by: str = "image") -> Interval | None:
    """Return the reason where so many images, worth `images` equal ones, are too few for an interval."""
    if count < FEWEST:
        return Interval(None, None, f"{NONE}too few {by}s: {count}")
    if images >= LEAST_WORTH - 1e-9:
        return None
    return Interval(
        None,
        None,
        f"{NONE}too few {by}s: {count:,}, of which one has most items: worth {images:.1f} equal ones",
    )


def alike(value: float, count: int, by: str, top: float = 1.0) -> Interval:
    """Return the exact binomial interval of what is 0, or the top, in each of `count` images."""
    end = top * binomial(count)
    how = f"95 % exact binomial by {by}, as every item is {value:g}"
    return Interval(top - end, top, how) if value else Interval(0.0, end, how)


def cluster_sums(sums: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sums by cluster, shape (C, K), of those by item, shape (N, K); `codes` are 0 .. C-1."""
    return np.stack([np.bincount(codes, weights=column) for column in sums.T], axis=1)


def _varying(
    value: float, variance: float, images: float, span: tuple[float, float], items: int, how: str
) -> Interval:
    if np.isinf(span[1]):
        if variance <= 0:
            return Interval(None, None, f"{NONE}nothing varies from image to image")
        low, high = student(value, variance, images)
        return Interval(max(span[0], low), high, f"95 % {how}, jackknife, {STUDENT}")
    if variance**0.5 <= NOTHING * (span[1] - span[0]) and not items:
        return Interval(None, None, f"{NONE}nothing varies from image to image")
    low, high = korn_graubard(value, variance, images, span, items)
    return Interval(low, high, f"95 % {how}, jackknife, {KORN_GRAUBARD}")
