"""Cohen's kappa (two raters) and Fleiss' kappa (any number of raters, all of whom label every item).

kappa = 1 - observed disagreement / disagreement by chance. Cohen (Educ. Psychol. Meas. 20, 1960) counts
every disagreement alike; quadratic weights (Cohen, Psychol. Bull. 70, 1968) count it by the squared
distance of the levels. Fleiss (Psychol. Bull. 76, 1971): (P - P_e) / (1 - P_e), P the mean share of
agreeing pairs of raters, P_e the sum of the squared shares of the labels. Cohen's value is
scikit-learn's; those without an image, for the interval, are computed here, many at once.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

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
    labelled_by,
)
from pefomed.metrics.statistics.interval import DRAWS

ONE_LABEL = "undefined: all labels are the same, so agreement by chance is complete"


def cohen_kappa(
    one: Labels,
    other: Labels,
    *,
    quadratic: bool = False,
    clusters: Clusters = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Coefficient:
    """Return Cohen's kappa of two raters over the items that both labelled.

    Args:
        one, other: whole numbers, None where there is no label, shape (N,).
        quadratic: weigh a disagreement by the squared distance of its labels.
        clusters: the number of each item's image; by default every item stands alone.
    """
    pairs, numbers = both_labelled(one, other, clusters)
    if len(pairs) < FEWEST:
        return absent(len(pairs), "fewer than 2 items that both labelled")
    if len(np.unique(pairs)) == 1:
        return absent(len(pairs), ONE_LABEL)
    # Not at the top: scikit-learn takes a second to import.
    from sklearn.metrics import cohen_kappa_score

    levels = np.arange(pairs.min(), pairs.max() + 1)
    value = cohen_kappa_score(
        pairs[:, 0].astype(int),
        pairs[:, 1].astype(int),
        labels=levels.astype(int),
        weights="quadratic" if quadratic else None,
    )
    statistic = _cohen(pairs, quadratic)
    return estimate(statistic, numbers, undefined=ONE_LABEL, value=float(value), draws=draws, seed=seed)


def mean_cohen_kappa(
    ratings: ArrayLike,
    *,
    quadratic: bool = False,
    clusters: Clusters = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Coefficient:
    """Return the mean of Cohen's kappa over all pairs of raters, each over the items both labelled.

    Args:
        ratings: whole numbers, NaN where there is no label, shape (N, R).

    Pairs without a kappa (fewer than 2 common items, or one label only) are left out and counted in
    the note.
    """
    table, numbers = labelled_by(ratings, clusters, 2)
    n, raters = table.shape
    if raters < 2:
        return absent(n, "one rater only")
    if n < FEWEST:
        return absent(n, "fewer than 2 items with two labels")
    statistics: list[Statistic] = []
    pairs = list(itertools.combinations(range(raters), 2))
    for i, j in pairs:
        pair = table[:, [i, j]]
        labels = pair[~np.isnan(pair).any(axis=1)]
        if len(labels) >= FEWEST and len(np.unique(labels)) > 1:
            statistics.append(_cohen(pair, quadratic))
    if not statistics:
        return absent(n, "no pair of raters has a kappa: too few common items, or one label only")

    def mean(weights: Floats) -> Floats:
        drawn = np.stack([statistic(weights) for statistic in statistics])  # (pairs, D)
        defined = np.isfinite(drawn)
        count = defined.sum(axis=0)
        total = np.where(defined, drawn, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    coefficient = estimate(mean, numbers, undefined=ONE_LABEL, draws=draws, seed=seed)
    if len(statistics) == len(pairs):
        return coefficient
    left_out = f"{len(pairs) - len(statistics)} of {len(pairs)} pairs of raters have no kappa"
    return replace(coefficient, note="; ".join(filter(None, (left_out, coefficient.note))))


def fleiss_kappa(
    ratings: ArrayLike, *, clusters: Clusters = None, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return Fleiss' kappa over the items that every rater labelled.

    Args:
        ratings: labels as numbers, NaN where there is none, shape (N, R).
    """
    table, numbers = labelled_by(ratings, clusters)
    n, raters = table.shape
    if raters < 2:
        return absent(n, "one rater only")
    if n < FEWEST:
        return absent(n, "fewer than 2 items that every rater labelled")
    labels = np.unique(table)
    counts = (table[:, :, None] == labels).sum(axis=1).astype(np.float64)  # (N, K)
    agreeing = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))  # (N,)

    def kappa(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        observed = weights @ agreeing / total
        by_chance = ((weights @ counts / (total[:, None] * raters)) ** 2).sum(axis=1)
        return ratio(observed - by_chance, 1 - by_chance)

    return estimate(kappa, numbers, undefined=ONE_LABEL, draws=draws, seed=seed)


def _cohen(pairs: Floats, quadratic: bool) -> Statistic:
    """Return Cohen's kappa as a function of weights, over the items of `pairs` (N, 2) without NaN."""
    both = np.flatnonzero(~np.isnan(pairs).any(axis=1))
    labels, codes = np.unique(pairs[both], return_inverse=True)
    one, other = codes.reshape(-1, 2).T
    k = len(labels)
    cells = np.zeros((len(both), k * k))
    cells[np.arange(len(both)), one * k + other] = 1.0
    distance = labels[:, None] - labels[None, :]
    cost = distance**2 if quadratic else (distance != 0).astype(np.float64)  # (K, K)

    def kappa(weights: Floats) -> Floats:
        table = (weights[:, both] @ cells).reshape(-1, k, k)  # (D, K, K)
        total = table.sum(axis=(1, 2))
        observed = (table * cost).sum(axis=(1, 2))
        chance = (table.sum(axis=2)[:, :, None] * table.sum(axis=1)[:, None, :] * cost).sum(axis=(1, 2))
        return 1 - ratio(observed * total, chance)

    return kappa


def ratio(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where `below` is 0."""
    defined = below > 1e-12
    return np.where(defined, above / np.where(defined, below, 1.0), np.nan)
