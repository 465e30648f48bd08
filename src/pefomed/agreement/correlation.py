"""Kendall's tau-b, Spearman's rho, Pearson's r, and the bias between two series of labels.

tau-b = (concordant - discordant) / sqrt((pairs not tied in x) (pairs not tied in y)); rho is r of the
middle ranks; bias is the mean of (one - other). The values are SciPy's; those without an image, for the
interval, are computed here with weights, many at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pefomed.agreement.coefficient import (
    FEWEST,
    Clusters,
    Coefficient,
    Floats,
    Labels,
    Statistic,
    absent,
    both_labelled,
    estimate,
)
from pefomed.metrics.statistics.interval import DRAWS

MOST_PAIRS = 1500
"""Distinct pairs of values up to which tau-b has an interval: its cost grows with their square."""

FEW = "fewer than 2 items that both labelled"
CONSTANT = "undefined: one of the two gives every item the same value"


def kendall_tau_b(
    one: Labels, other: Labels, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return Kendall's tau-b over the items with both values; values are numbers or None, shape (N,)."""
    pairs, numbers, why = _paired(one, other, clusters)
    if why:
        return absent(len(pairs), why)
    from scipy import stats  # not at the top: it takes a second to import

    value = float(stats.kendalltau(pairs[:, 0], pairs[:, 1]).statistic)
    distinct, codes = np.unique(pairs, axis=0, return_inverse=True)
    if len(distinct) > MOST_PAIRS:
        return Coefficient(value, None, None, len(pairs), f"no interval above {MOST_PAIRS:,} different pairs")
    return estimate(
        _kendall(distinct, codes.ravel()), numbers, undefined=CONSTANT, value=value, draws=draws, seed=seed
    )


def spearman_rho(
    one: Labels, other: Labels, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return Spearman's rho over the items with both values; values are numbers or None, shape (N,)."""
    pairs, numbers, why = _paired(one, other, clusters)
    if why:
        return absent(len(pairs), why)
    from scipy import stats

    value = float(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
    ranks_one, ranks_other = _ranks(pairs[:, 0]), _ranks(pairs[:, 1])

    def rho(weights: Floats) -> Floats:
        return _pearson(ranks_one(weights), ranks_other(weights), weights)

    return estimate(rho, numbers, undefined=CONSTANT, value=value, draws=draws, seed=seed)


def pearson_r(
    one: Labels, other: Labels, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return Pearson's r over the items with both values; values are numbers or None, shape (N,)."""
    pairs, numbers, why = _paired(one, other, clusters)
    if why:
        return absent(len(pairs), why)
    from scipy import stats

    value = float(stats.pearsonr(pairs[:, 0], pairs[:, 1]).statistic)
    x, y = pairs.T

    def r(weights: Floats) -> Floats:
        return _pearson(x[None], y[None], weights)

    return estimate(r, numbers, undefined=CONSTANT, value=value, draws=draws, seed=seed)


def bias(
    one: Labels, other: Labels, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return the mean of `one - other` over the items with both values, in the labels' own units."""
    pairs, numbers, why = _paired(one, other, clusters, constant=True)
    if why:
        return absent(len(pairs), why)
    difference = pairs[:, 0] - pairs[:, 1]

    def mean(weights: Floats) -> Floats:
        drawn: Floats = weights @ difference / weights.sum(axis=1)
        return drawn

    # Labels of both have one scale: what they reach on it is how far a difference can go.
    widest = float(np.ptp(pairs)) or 1.0
    return estimate(mean, numbers, undefined=FEW, span=(-widest, widest), draws=draws, seed=seed)


def _paired(
    one: Labels, other: Labels, clusters: Clusters, constant: bool = False
) -> tuple[Floats, NDArray[np.int64], str]:
    """Return the complete pairs, their clusters, and why they do not suffice (empty if they do)."""
    pairs, numbers = both_labelled(one, other, clusters)
    if len(pairs) < FEWEST:
        return pairs, numbers, FEW
    if not constant and (np.ptp(pairs, axis=0) == 0).any():
        return pairs, numbers, CONSTANT
    return pairs, numbers, ""


def _kendall(distinct: Floats, codes: NDArray[np.int64]) -> Statistic:
    """Return tau-b as a function of weights, over P distinct pairs (P, 2) and each item's pair (N,)."""
    member = np.zeros((len(codes), len(distinct)))
    member[np.arange(len(codes)), codes] = 1.0
    signs_x, signs_y = (np.sign(column[:, None] - column[None, :]) for column in distinct.T)  # (P, P)
    both, free_x, free_y = signs_x * signs_y, np.abs(signs_x), np.abs(signs_y)

    def tau(weights: Floats) -> Floats:
        counts = weights @ member  # (D, P)
        # Each sum runs over ordered pairs of items: twice what the formula says, in all three.
        concordance, in_x, in_y = (((counts @ m) * counts).sum(axis=1) for m in (both, free_x, free_y))
        defined = (in_x > 0) & (in_y > 0)
        return np.where(defined, concordance / np.sqrt(np.where(defined, in_x * in_y, 1.0)), np.nan)

    return tau


def _ranks(values: Floats) -> Statistic:
    """Return the items' middle ranks as a function of weights: (D, N) -> (D, N)."""
    distinct, codes = np.unique(values, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(distinct)))

    def ranks(weights: Floats) -> Floats:
        counts = np.add.reduceat(weights[:, order], starts, axis=1)  # (D, U)
        middle = np.cumsum(counts, axis=1) - counts / 2
        placed: Floats = middle[:, codes]
        return placed

    return ranks


def _pearson(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return r of x and y, each (1 or D, N), under weights (D, N)."""
    total = weights.sum(axis=1, keepdims=True)
    x = x - (x * weights).sum(axis=1, keepdims=True) / total
    y = y - (y * weights).sum(axis=1, keepdims=True) / total
    products = (weights * x * y).sum(axis=1)
    squares = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    defined = squares > 1e-18
    return np.where(defined, products / np.sqrt(np.where(defined, squares, 1.0)), np.nan)
