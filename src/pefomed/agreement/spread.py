"""How far raters, or the runs of one judge, lie apart: the sd of their means, and items labelled alike.

The standard deviation (n - 1) over raters of each rater's mean label: PeFoMed prints it in brackets
behind its human and judge figures, and calls the judge the more stable of the two. Note what is
compared: runs of one judge repeat one opinion, ten raters are ten; a small sd over runs says that the
judge repeats itself, not that it is right.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from pefomed.agreement.coefficient import (
    FEWEST,
    Clusters,
    Coefficient,
    Floats,
    Labels,
    absent,
    both_labelled,
    estimate,
    labelled_by,
    share,
)
from pefomed.metrics.statistics.interval import DRAWS

UNDEFINED = "undefined"


def sd_of_means(
    ratings: ArrayLike, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return the sd over raters of their mean label, over the items that every rater labelled.

    Args:
        ratings: labels, NaN where there is none, shape (N, R).
    """
    table, numbers = labelled_by(ratings, clusters)
    if why := _too_few(table):
        return absent(len(table), why)

    def sd(weights: Floats) -> Floats:
        return _sd(weights, table)

    coefficient = estimate(sd, numbers, undefined=UNDEFINED, span=None, draws=draws, seed=seed)
    return coefficient if coefficient.low is None else replace(coefficient, low=max(0.0, coefficient.low))


def sd_difference(
    one: ArrayLike, other: ArrayLike, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return `sd_of_means(one) - sd_of_means(other)` over the items that all of both labelled.

    Args:
        one, other: labels, NaN where there is none, shapes (N, R) and (N, S).
    """
    first, second = (np.asarray(ratings, dtype=np.float64) for ratings in (one, other))
    table, numbers = labelled_by(np.hstack((first, second)), clusters)
    first, second = table[:, : first.shape[1]], table[:, first.shape[1] :]
    if why := _too_few(first) or _too_few(second):
        return absent(len(first), why)

    def difference(weights: Floats) -> Floats:
        return _sd(weights, first) - _sd(weights, second)

    return estimate(difference, numbers, undefined=UNDEFINED, span=None, draws=draws, seed=seed)


def flip_share(
    ratings: ArrayLike, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return the share of items that do not get the same label from all who labelled them, at least two."""
    table, numbers = labelled_by(ratings, clusters, 2)
    n, raters = table.shape
    if raters < 2:
        return absent(n, "one run or rater only")
    if n < FEWEST:
        return absent(n, "fewer than 2 items with two labels")
    return share(np.nanmax(table, axis=1) > np.nanmin(table, axis=1), numbers, draws=draws, seed=seed)


def equal_share(
    one: Labels, other: Labels, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return the share of items that both label alike, over the items that both labelled; shape (N,) each."""
    pairs, numbers = both_labelled(one, other, clusters)
    if len(pairs) < FEWEST:
        return absent(len(pairs), "fewer than 2 items that both labelled")
    return share(pairs[:, 0] == pairs[:, 1], numbers, draws=draws, seed=seed)


def _too_few(table: Floats) -> str:
    n, raters = table.shape
    if raters < 2:
        return "one rater or run only: no spread"
    return "fewer than 2 items that all labelled" if n < FEWEST else ""


def _sd(weights: Floats, table: Floats) -> Floats:
    means = weights @ table / weights.sum(axis=1, keepdims=True)  # (D, R)
    deviations: Floats = means.std(axis=1, ddof=1)
    return deviations
