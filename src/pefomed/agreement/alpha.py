"""Krippendorff's alpha: agreement of any number of raters who need not label every item.

alpha = 1 - D_o / D_e over the coincidences o_ck = sum_u (pairs c-k in item u) / (m_u - 1), m_u labels in
item u; expected e_ck = n_c (n_k - [c = k]) / (n - 1). Distance: nominal 1 for different labels; ordinal
(sum of n_g from c to k - (n_c + n_k) / 2)^2. Source: Krippendorff, Computing Krippendorff's
Alpha-Reliability, 2011. Own code, because the known library is under the GPL and draws no intervals;
the tests hold it against that library.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pefomed.agreement.coefficient import (
    FEWEST,
    Clusters,
    Coefficient,
    Floats,
    absent,
    estimate,
    labelled_by,
)
from pefomed.agreement.kappa import ONE_LABEL, ratio
from pefomed.metrics.statistics.interval import DRAWS

LabelScale = Literal["nominal", "ordinal"]


def krippendorff_alpha(
    ratings: ArrayLike,
    scale: LabelScale = "nominal",
    *,
    clusters: Clusters = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Coefficient:
    """Return Krippendorff's alpha over the items with at least two labels.

    Args:
        ratings: labels as numbers, NaN where there is none, shape (N, R).
        scale: whether labels are only equal or different, or are ordered.
    """
    table, numbers = labelled_by(ratings, clusters, 2)
    n, raters = table.shape
    if raters < 2:
        return absent(n, "one rater only")
    if n < FEWEST:
        return absent(n, "fewer than 2 items with two labels")
    labels = np.unique(table[~np.isnan(table)])
    if len(labels) == 1:
        return absent(n, ONE_LABEL)
    coincidences = _coincidences(table, labels)
    k = len(labels)

    def alpha(weights: Floats) -> Floats:
        seen = (weights @ coincidences).reshape(-1, k, k)  # (D, K, K)
        of_label = seen.sum(axis=2)  # (D, K)
        total = of_label.sum(axis=1)
        distance = _distances(of_label, scale)
        observed = (seen * distance).sum(axis=(1, 2))
        expected = (of_label[:, :, None] * of_label[:, None, :] * distance).sum(axis=(1, 2))
        return 1 - ratio(observed * (total - 1), expected)

    return estimate(alpha, numbers, undefined=ONE_LABEL, draws=draws, seed=seed)


def _coincidences(table: Floats, labels: Floats) -> Floats:
    """Return each item's share of the coincidence matrix, shape (N, K * K)."""
    counts = (table[:, :, None] == labels).sum(axis=1).astype(np.float64)  # (N, K)
    pairs = counts[:, :, None] * counts[:, None, :]
    index = np.arange(len(labels))
    pairs[:, index, index] -= counts
    pairs /= (counts.sum(axis=1) - 1)[:, None, None]
    flat: Floats = pairs.reshape(len(table), -1)
    return flat


def _distances(of_label: Floats, scale: LabelScale) -> Floats:
    """Return the squared distances between labels, shape (1 or D, K, K); 0 on the diagonal."""
    k = of_label.shape[1]
    if scale == "nominal":
        return 1.0 - np.eye(k)[None]
    # The sum from c to k without half of either end is the difference of the labels' middle ranks.
    middle = np.cumsum(of_label, axis=1) - of_label / 2  # (D, K)
    return (middle[:, :, None] - middle[:, None, :]) ** 2
