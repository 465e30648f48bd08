"""How well a confidence tells right answers from wrong ones, and how right it is about itself.

Of N answers with confidence c and rightness r (1 or 0):

    ece       sum over bins of n_b / N * |mean r - mean c|, 15 bins ((b - 1) / 15, b / 15] of [0, 1], the
              first with its 0 (Naeini et al., AAAI 2015; Guo et al., ICML 2017)
    ece_mass  the same with the 15 quantiles of c as ends, so that the bins hold about as many answers each;
              equal ends are one (the adaptive error of Nguyen and O'Connor, EMNLP 2015)
    brier     mean of (c - r)^2 (Brier, Monthly Weather Review, 1950)
    aurc      mean over k = 1 .. N of the share of wrong answers among the k surest: the area under the
              curve of risk against coverage (Geifman, Uziel and El-Yaniv, ICLR 2019)
    aurc_excess  aurc less that of the best order, all right answers first
    auroc     share of pairs of a right and a wrong answer of which the right one is surer; of ties half

Answers of equal confidence come in random order: the curve is its mean over all such orders.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15


class Bin(NamedTuple):
    """The answers whose confidence lies between two ends."""

    low: float
    high: float
    n: int
    confidence: float
    """Their mean confidence."""
    right: float
    """The share of right ones."""


WIDTHS: Floats = np.linspace(0.0, 1.0, BINS + 1)
"""Ends of the bins of `ece`."""


def masses(confidence: Floats) -> Floats:
    """Return the ends of the bins of `ece_mass`."""
    return np.asarray(np.unique(np.percentile(confidence, 100 * WIDTHS)))


def reliability(confidence: Floats, right: Floats, ends: Floats = WIDTHS) -> list[Bin]:
    """Return the bins that hold answers, ascending.

    Args:
        confidence: in [0, 1], shape (N,).
        right: 1 or 0, shape (N,).
        ends: of the bins, ascending.
    """
    places = np.searchsorted(ends[1:-1], confidence, side="left")
    counts = np.bincount(places, minlength=max(len(ends) - 1, 1))
    sums = [np.bincount(places, weights=column, minlength=len(counts)) for column in (confidence, right)]
    last = len(ends) - 1
    return [
        Bin(float(ends[b]), float(ends[min(b + 1, last)]), int(n), sums[0][b] / n, sums[1][b] / n)
        for b, n in enumerate(counts)
        if n
    ]


def calibration_error(confidence: Floats, right: Floats, ends: Floats = WIDTHS) -> float:
    """Return `ece`, or with the ends that `masses` gives `ece_mass`; see the module."""
    bins = reliability(confidence, right, ends)
    return float(sum(one.n * abs(one.right - one.confidence) for one in bins) / len(confidence))


def risks(confidence: Floats, right: Floats) -> Floats:
    """Return the share of wrong answers among the k surest, k = 1 .. N, shape (N,)."""
    order = np.argsort(-confidence, kind="stable")
    wrong = 1.0 - right[order]
    known = np.cumsum(wrong)
    # Between the ends of a tie the count of wrong ones grows evenly: the mean over all orders within it.
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    ranks = np.arange(1, len(wrong) + 1)
    counted = np.interp(ranks, np.concatenate(([0], last + 1)), np.concatenate(([0.0], known[last])))
    return np.asarray(counted / ranks)


def aurc(confidence: Floats, right: Floats) -> float:
    """Return the mean of `risks`."""
    return float(risks(confidence, right).mean())


def best_aurc(right: Floats) -> float:
    """Return the least `aurc` that any confidence gives so many right and wrong answers."""
    good = int(right.sum())
    wrong = len(right) - good
    # Behind the right ones k answers hold k - good wrong ones.
    return float((wrong - good * (1.0 / np.arange(good + 1, len(right) + 1)).sum()) / len(right))


def auroc(confidence: Floats, right: Floats) -> float:
    """Return the area under the ROC curve of rightness; NaN where all are right, or all wrong."""
    from scipy.stats import rankdata

    good = right == 1.0
    many = int(good.sum())
    few = len(right) - many
    if not many or not few:
        return float("nan")
    ranks = rankdata(confidence)
    return float((ranks[good].sum() - many * (many + 1) / 2) / (many * few))
