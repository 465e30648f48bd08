"""Two systems on the same items: how far apart, with an interval and p.

p is of sign flips by image (`sign_flips`). McNemar's exact test stands beside it for right and wrong: of the
items that one system has right and the other wrong, b and c of them, p = 2 * P(X <= min(b, c)) with
X ~ Binomial(b + c, 1/2), at most 1 (McNemar, Psychometrika 1947; Agresti, Categorical Data Analysis, section
10.1). It takes items as independent, which several questions about an image are not: where each image has one
item the two are the same.

The interval of a difference is made like any other (`jackknife`, `limits`). Where items are right or wrong
and few differ, the variance seen is too small; two more items are added, one for each side, and the limits
are Student's t: the interval of Bonett and Price (J. Educ. Behav. Stat. 37, 2012). They are added to the
independent items that those seen are worth: between the number of items and that of images, by their design
effect, and the nearer to that of images the fewer images differ.
"""

from __future__ import annotations

from math import comb, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.statistics.interval import (
    DRAWS,
    NONE,
    NOTHING,
    Interval,
    cluster_sums,
    too_few,
)
from pefomed.metrics.statistics.jackknife import (
    Figures,
    figure_variances,
    grouped,
    mean_variances,
    worth_in_images,
)
from pefomed.metrics.statistics.limits import KORN_GRAUBARD, STUDENT, korn_graubard, quantile, student
from pefomed.metrics.statistics.sign_flips import p_of_figures, p_of_means

_MOST_EXACT = 1000  # above it the binomial numbers get long, and scipy's are as good


class Paired(NamedTuple):
    """The difference b - a of a figure, its interval (None where there were no draws), p and its test."""

    difference: float
    interval: Interval | None
    p: float | None
    """None where there were no draws."""
    test: str


def paired_means(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    clusters: NDArray[np.int64],
    *,
    top: float = 1.0,
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> Paired:
    """Return how far apart two means over the same items are.

    Args:
        a: one value in [0, top] per item, shape (N,).
        b: the same of the other system.
        clusters: the number of each item's image, shape (N,).
        draws: sign flips to draw where they cannot be counted; 0 for neither interval nor p.
    """
    difference = float(b.mean() - a.mean())
    if draws == 0:
        return Paired(difference, None, None, "")
    _, codes = np.unique(clusters, return_inverse=True)
    by_item = b - a
    sums = np.bincount(codes, weights=by_item).astype(np.float64)
    sizes = np.bincount(codes).astype(np.float64)
    p, test = p_of_means(sums, draws, seed, by)
    images = worth_in_images(sizes)
    interval = too_few(len(sizes), images, by)
    if interval is None:
        [variance] = mean_variances(sums[:, None], sizes).tolist()
        if top == 1.0 and np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all():
            interval = _of_right_and_wrong(by_item, codes, variance, images, by)
        else:
            interval = _of_difference(difference, variance, images, top, f"by {by}")
    return Paired(difference, interval, p, test)


def paired_figures(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    clusters: NDArray[np.int64],
    figures: Figures,
    *,
    tops: tuple[float, ...] = (1.0,),
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> list[Paired]:
    """Return how far apart two systems are in each of M figures that are functions of sums over items.

    Args:
        a: what is added up, K numbers per item, shape (N, K).
        b: the same of the other system.
        figures: the M figures of totals of shape (D, K), shape (D, M).
        tops: the largest value of each figure, or one for all; the least is 0.
    """

    def apart(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return figures(totals[:, width:]) - figures(totals[:, :width])

    width = a.shape[1]
    both = np.concatenate((a, b), axis=1)
    differences = apart(both.sum(0, keepdims=True))[0]
    if draws == 0:
        return [Paired(difference, None, None, "") for difference in differences.tolist()]
    _, codes = np.unique(clusters, return_inverse=True)
    added = cluster_sums(both, codes)
    p, test = p_of_figures(added[:, :width], added[:, width:], figures, draws, seed, by)
    groups, number = grouped(codes, draws, seed)
    images = worth_in_images(np.bincount(groups, minlength=number).astype(np.float64))
    few = too_few(len(added), images, by)
    how = f"by {by}" if number == len(added) else f"by {number:,} groups of {len(added):,} {by}s, seed {seed}"
    intervals = [few] * len(differences)
    if few is None:
        variances = figure_variances(cluster_sums(both, groups), apart, differences)
        intervals = [
            _of_difference(difference, variance, images, tops[place % len(tops)], how)
            for place, (difference, variance) in enumerate(
                zip(differences.tolist(), variances.tolist(), strict=True)
            )
        ]
    return [
        Paired(difference, interval, own, test)
        for difference, interval, own in zip(differences.tolist(), intervals, p, strict=True)
    ]


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the two-sided exact p of two lists of right and wrong, both of shape (N,)."""
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    differing = only_a + only_b
    if differing > _MOST_EXACT:
        from scipy.stats import binom

        return min(1.0, 2 * float(binom.cdf(min(only_a, only_b), differing, 0.5)))
    below = sum(comb(differing, k) for k in range(min(only_a, only_b) + 1))
    return float(min(1.0, 2 * below / 2**differing))


def _of_right_and_wrong(
    differences: NDArray[np.float64], codes: NDArray[np.int64], variance: float, images: float, by: str
) -> Interval:
    """Return the interval of a mean of differences of -1, 0 and 1, one per item."""
    items, value = len(differences), float(differences.mean())
    differing = len(np.unique(codes[differences != 0]))
    alone = (float((differences**2).mean()) - value**2) / items  # the variance if items were independent
    effect = min(max(variance / alone, 1.0), items / images) if alone > 0 else 1.0
    known = differing / (differing + 1)
    worth = 1 / (known * effect / items + (1 - known) / (int(codes.max()) + 1))
    shrunk = worth / (worth + 2)
    half = quantile(images - 1) * sqrt(variance * shrunk**2 + 2 / (worth + 2) ** 2)
    middle = value * shrunk
    how = f"95 % by {by}, jackknife with two more items, one for each side (Bonett-Price)"
    return Interval(max(-1.0, middle - half), min(1.0, middle + half), how)


def _of_difference(value: float, variance: float, images: float, top: float, how: str) -> Interval:
    if np.isnan(variance):
        return Interval(None, None, f"{NONE}no value without some images")
    if variance**0.5 <= (NOTHING * top if top < np.inf else 0.0):
        return Interval(None, None, f"{NONE}all images differ by the same")
    if np.isinf(top):
        return Interval(*student(value, variance, images), f"95 % {how}, jackknife, {STUDENT}")
    low, high = korn_graubard(value, variance, images, (-top, top))
    return Interval(low, high, f"95 % {how}, jackknife, {KORN_GRAUBARD}")
