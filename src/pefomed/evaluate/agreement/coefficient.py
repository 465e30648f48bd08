"""One coefficient with its interval and n, or the reason why there is none; the bootstrap behind it.

Cluster bootstrap as for scores (`evaluate.interval`): images are drawn with replacement, all items of a
drawn image count, and the interval runs from the 2.5th to the 97.5th percentile. A draw is a vector of
weights over the items, so that a coefficient is computed for many draws at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 1000
LEVEL = 0.95
FEWEST = 2
"""Items below which nothing is computed."""

MOST_UNDEFINED = 0.05
"""Share of draws in which a coefficient may be undefined and still have an interval."""

Floats = NDArray[np.float64]
Labels = ArrayLike | Sequence[float | None]
Clusters = Sequence[int] | NDArray[np.int64] | None
Statistic = Callable[[Floats], Floats]
"""Weights of the items in D draws, shape (D, N) -> the coefficient of each, NaN where undefined, (D,)."""

_TAIL = (1 - LEVEL) / 2
_BLOCK = 2_000_000  # weights held at once: 16 MB


@dataclass(frozen=True)
class Coefficient:
    """A number that says how far raters agree."""

    value: float | None
    """None where it is undefined; `note` says why."""
    low: float | None
    high: float | None
    n: int
    """Items it was computed from."""
    note: str = ""
    """Why there is no value or no interval, or empty."""


def absent(n: int, why: str) -> Coefficient:
    """Return the coefficient that could not be computed, with the reason."""
    return Coefficient(None, None, None, n, why)


def estimate(
    statistic: Statistic,
    clusters: NDArray[np.int64],
    *,
    undefined: str,
    value: float | None = None,
    centred: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> Coefficient:
    """Return a statistic of N >= 2 items with its bootstrap interval.

    Args:
        clusters: number of each item's image, shape (N,).
        undefined: the reason to give if the statistic is undefined on the items themselves.
        value: the statistic on the items themselves where a library computed it.
        centred: take the draws' mean distance from the statistic off them first: drawing items with
            replacement drives raters' means apart, so that a spread grows from draw to draw.
        draws: bootstrap draws; 0 for no interval.
    """
    n = len(clusters)
    found = float(statistic(np.ones((1, n)))[0]) if value is None else value
    if not math.isfinite(found):
        return absent(n, undefined)
    if draws == 0:
        return Coefficient(found, None, None, n)
    if len(np.unique(clusters)) == 1:
        return Coefficient(found, None, None, n, "no interval: all items are of one image")
    drawn = np.concatenate([statistic(weights) for weights in _weights(clusters, draws, seed)])
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < (1 - MOST_UNDEFINED) * draws:
        share = 100 * (1 - len(defined) / draws)
        return Coefficient(found, None, None, n, f"no interval: undefined in {share:.0f} % of the draws")
    if centred:
        defined = defined - (defined.mean() - found)
    low, high = (float(end) for end in np.quantile(defined, (_TAIL, 1 - _TAIL)))
    if high - low < 1e-12:
        return Coefficient(found, None, None, n, "no interval: every draw gives the same")
    return Coefficient(found, low, high, n)


def told(draws: int, seed: int) -> str:
    """Return how intervals are made, for the reader."""
    return f"95 % bootstrap by image, {draws} draws, seed {seed}" if draws else ""


def columns_of(*columns: ArrayLike | Sequence[float | None]) -> Floats:
    """Return columns of equal length as an array (N, R), `None` as NaN."""
    return np.column_stack([np.array(column, dtype=np.float64) for column in columns])


def clusters_of(clusters: Clusters, n: int) -> NDArray[np.int64]:
    """Return the items' clusters, every item alone by default."""
    return np.arange(n) if clusters is None else np.asarray(clusters, dtype=np.int64)


def both_labelled(one: Labels, other: Labels, clusters: Clusters) -> tuple[Floats, NDArray[np.int64]]:
    """Return the items that both labelled, shape (N, 2), and their clusters."""
    return labelled_by(columns_of(one, other), clusters, 2)


def labelled_by(
    ratings: ArrayLike, clusters: Clusters, raters: int | None = None
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the items of (N, R) that so many raters labelled at least (by default all), and clusters."""
    table = np.asarray(ratings, dtype=np.float64)
    numbers = clusters_of(clusters, len(table))
    chosen = (~np.isnan(table)).sum(axis=1) >= (table.shape[1] if raters is None else raters)
    return table[chosen], numbers[chosen]


def _weights(clusters: NDArray[np.int64], draws: int, seed: int) -> Iterator[Floats]:
    """Yield the draws' weights in blocks that fit the memory, shape (D, N); the seed decides them wholly."""
    _, codes = np.unique(clusters, return_inverse=True)
    count = int(codes.max()) + 1
    random = np.random.default_rng(seed)
    share = np.full(count, 1 / count)
    rows = max(1, _BLOCK // len(codes))
    for start in range(0, draws, rows):
        drawn = random.multinomial(count, share, size=min(rows, draws - start))  # (D, C)
        yield drawn[:, codes].astype(np.float64)
