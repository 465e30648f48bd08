"""Paired tests: two systems on the same items, is one better, and by how much.

Right or wrong: McNemar's exact test. Of the items that one run has right and the other wrong, b and c of
them, p = 2 * P(X <= min(b, c)) with X ~ Binomial(b + c, 1/2), at most 1 (McNemar, Psychometrika 1947;
Agresti, Categorical Data Analysis, section 10.1). It takes items as independent.

Any figure: the paired bootstrap by image. Images are drawn with replacement, both runs' items of a drawn
image count, and the difference is taken in every draw: its interval, and p as twice the smaller share
of draws on either side of 0, (1 + draws) / (1 + all), at most 1 (Davison and Hinkley, 1997, section 4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

from pefomed.evaluate.interval import DRAWS, LEVEL, cluster_sums, draw_totals

_MOST_EXACT = 1000  # above it the binomial numbers get long, and scipy's are as good


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the two-sided exact p of two lists of right and wrong, both of shape (N,)."""
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    differing = only_a + only_b
    if differing > _MOST_EXACT:
        from scipy.stats import binom

        return min(1.0, 2 * float(binom.cdf(min(only_a, only_b), differing, 0.5)))
    below = sum(comb(differing, k) for k in range(min(only_a, only_b) + 1))
    return float(min(1.0, 2 * below / 2**differing))


def paired_bootstrap(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    clusters: NDArray[np.int64],
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float | None, float | None, float]:
    """Return the difference b - a, the ends of its 95 % interval and p.

    Args:
        a: one value per item, shape (N,), or what is added up, shape (N, K).
        b: the same of the other run.
        clusters: the number of each item's image, shape (N,).
        figure: the figure of totals of shape (D, K), shape (D,); by default the mean of the values.
        draws: bootstrap draws; with 0 there is no interval, and p is 1.
    """
    if figure is None:
        ones = np.ones(len(a))
        a, b, figure = np.stack((a, ones), 1), np.stack((b, ones), 1), _mean
    width = a.shape[1]
    both = np.concatenate((a, b), axis=1)
    total = both.sum(0, keepdims=True)
    difference = float((figure(total[:, width:]) - figure(total[:, :width]))[0])
    _, codes = np.unique(clusters, return_inverse=True)
    if draws == 0 or codes.max() == 0:
        return difference, None, None, 1.0
    totals = draw_totals(cluster_sums(both, codes), draws, seed)
    drawn = figure(totals[:, width:]) - figure(totals[:, :width])
    if np.ptp(drawn) == 0:
        return difference, None, None, 1.0 if difference == 0 else 2 / (draws + 1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    side = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return difference, float(low), float(high), min(1.0, 2 * (1 + side) / (1 + draws))


def _mean(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(totals[:, 0] / totals[:, 1])
