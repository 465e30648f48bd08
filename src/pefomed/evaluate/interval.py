"""Intervals of a mean over items that come in clusters: the questions of one image are not independent.

Cluster bootstrap (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8):
images are drawn with replacement, all items of a drawn image count, and the interval runs between the
2.5th and the 97.5th percentile of the mean over the draws. Images with the same sum and the same
number of items are exchangeable, so a draw is a multinomial over the distinct (sum, number) pairs:
the same distribution as drawing images one by one, at a cost that hardly grows with their number.

A figure that is no mean of items (BLEU, a mean over raters) is a function of sums over items instead:
`bootstrap_sums` draws the images, adds up the items' sums and applies the function to each draw.

Where every item is right, or every item wrong, all draws are equal and say nothing. There the exact
binomial (Clopper-Pearson) interval over the C images stands: [0.025^(1/C), 1] or [0, 1 - 0.025^(1/C)].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 2000

_TAIL = (1 - LEVEL) / 2
_BLOCK = 4_000_000  # numbers drawn at once: 32 MB
_MOST_PAIRS = 4096  # above this many distinct pairs, drawing the clusters themselves is quicker


class Interval(NamedTuple):
    """Ends of an interval and a phrase that says how it was made."""

    low: float
    high: float
    how: str


def bootstrap(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> Interval | None:
    """Return the 95 % interval of the mean of `values`, drawn by cluster; the seed decides it wholly.

    Args:
        values: one number per item, shape (N,).
        clusters: the number >= 0 of each item's cluster, shape (N,); need not be consecutive.
        draws: bootstrap draws; 0 for no interval.
        by: what a cluster is, for the phrase.

    Returns:
        None without items or draws, or if one cluster holds all of several differing items.
    """
    if draws == 0 or len(values) == 0:
        return None
    _, codes = np.unique(clusters, return_inverse=True)
    sums = np.bincount(codes, weights=values).astype(np.float64)  # (C,)
    sizes = np.bincount(codes)  # (C,)
    if np.all(values == 0.0) or np.all(values == 1.0):
        return _binomial(bool(values[0]), len(sizes), by)
    if len(sizes) == 1:
        return None
    means = _draw_means(sums, sizes, draws, seed)
    low, high = np.quantile(means, (_TAIL, 1 - _TAIL))
    return Interval(float(low), float(high), _how(draws, seed, by))


def bootstrap_means(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> list[Interval | None]:
    """Return the 95 % intervals of K means by the same draws of clusters; otherwise as `bootstrap`.

    Args:
        values: K numbers per item, shape (N, K).
    """
    if draws == 0 or len(values) == 0:
        return [None] * values.shape[1]
    _, codes = np.unique(clusters, return_inverse=True)
    count = int(codes.max()) + 1
    totals = draw_totals(cluster_sums(np.insert(values, 0, 1.0, axis=1), codes), draws, seed)  # (D, 1 + K)
    ends = np.quantile(totals[:, 1:] / totals[:, :1], (_TAIL, 1 - _TAIL), axis=0)  # (2, K)
    intervals: list[Interval | None] = []
    for column, low, high in zip(values.T, *ends.tolist(), strict=True):
        if np.all(column == 0.0) or np.all(column == 1.0):
            intervals.append(_binomial(bool(column[0]), count, by))
        else:
            intervals.append(Interval(low, high, _how(draws, seed, by)) if count > 1 else None)
    return intervals


def bootstrap_sums(
    sums: NDArray[np.float64],
    clusters: NDArray[np.int64],
    figures: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    by: str = "image",
) -> list[Interval | None]:
    """Return the 95 % intervals of M figures that are functions of sums over items.

    Args:
        sums: what is added up, K numbers per item, shape (N, K).
        clusters: the number of each item's cluster, shape (N,).
        figures: the M figures of totals of shape (D, K), shape (D, M); NaN where a draw has none.

    Returns:
        None for a figure that is the same in every draw, or has no value in one of 20 of them.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    if draws == 0 or len(sums) == 0 or codes.max() == 0:
        return [None] * figures(sums.sum(0, keepdims=True)).shape[1]
    drawn = figures(draw_totals(cluster_sums(sums, codes), draws, seed))  # (D, M)
    intervals: list[Interval | None] = []
    for column in drawn.T:
        values = column[np.isfinite(column)]
        if len(values) < 0.95 * draws or np.ptp(values) == 0:
            intervals.append(None)
            continue
        low, high = np.quantile(values, (_TAIL, 1 - _TAIL))
        intervals.append(Interval(float(low), float(high), _how(draws, seed, by)))
    return intervals


def cluster_sums(sums: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sums by cluster, shape (C, K), of those by item, shape (N, K); `codes` are 0 .. C-1."""
    return np.stack([np.bincount(codes, weights=column) for column in sums.T], axis=1)


def draw_totals(sums: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    """Return the totals, shape (D, K), of C clusters drawn with replacement; `sums` has shape (C, K)."""
    random = np.random.default_rng(seed)
    clusters = len(sums)
    rows = max(1, _BLOCK // clusters)
    totals = []
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        places = random.integers(0, clusters, size=(count, clusters), dtype=np.int32)
        places += np.arange(count, dtype=np.int32)[:, None] * np.int32(clusters)
        times = np.bincount(places.ravel(), minlength=count * clusters).reshape(count, clusters)
        totals.append(times.astype(np.float64) @ sums)
    return np.concatenate(totals)


def _how(draws: int, seed: int, by: str) -> str:
    return f"95 % bootstrap by {by}, {draws} draws, seed {seed}"


def _binomial(all_right: bool, clusters: int, by: str) -> Interval:
    end = _TAIL ** (1 / clusters)
    how = f"95 % exact binomial by {by}, as all items are {'right' if all_right else 'wrong'}"
    return Interval(end, 1.0, how) if all_right else Interval(0.0, 1.0 - end, how)


def _draw_means(
    sums: NDArray[np.float64], sizes: NDArray[np.int64], draws: int, seed: int
) -> NDArray[np.float64]:
    pairs, count = np.unique(np.stack((sums, sizes)), axis=1, return_counts=True)  # (2, P), (P,)
    if len(count) > _MOST_PAIRS:
        totals = draw_totals(np.stack((sums, sizes), axis=1), draws, seed)
        return np.asarray(totals[:, 0] / totals[:, 1])
    random = np.random.default_rng(seed)
    share = count / count.sum()
    rows = max(1, _BLOCK // len(count))
    means = []
    for start in range(0, draws, rows):
        drawn = random.multinomial(len(sums), share, size=min(rows, draws - start))  # (D, P)
        pair_totals = drawn @ pairs.T  # (D, 2)
        means.append(pair_totals[:, 0] / pair_totals[:, 1])
    return np.concatenate(means)
