"""One coefficient with its interval and n, or the reason why there is none.

The variance comes from leaving out one image at a time, all items of it at once, as for scores
(`statistics.jackknife`), the limits from that and the coefficient's range (`statistics.limits`). What is left
out is a vector of weights over the items, so that a coefficient is computed for many at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pefomed.metrics.statistics.interval import DRAWS, NOTHING, mean_interval, too_few
from pefomed.metrics.statistics.jackknife import grouped, variance_of, worth_in_images
from pefomed.metrics.statistics.limits import KORN_GRAUBARD, STUDENT, korn_graubard, student

FEWEST = 2
"""Items below which nothing is computed."""

Floats = NDArray[np.float64]
Labels = ArrayLike | Sequence[float | None]
Clusters = Sequence[int] | NDArray[np.int64] | None
Statistic = Callable[[Floats], Floats]
"""Weights of the items, D times, shape (D, N) -> the coefficient of each, NaN where undefined, (D,)."""

AGREEMENT = (-1.0, 1.0)
"""The range of kappa, alpha and correlations."""

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
    interval: str = ""
    """How the interval was made, or empty."""


def absent(n: int, why: str) -> Coefficient:
    """Return the coefficient that could not be computed, with the reason."""
    return Coefficient(None, None, None, n, why)


def estimate(
    statistic: Statistic,
    clusters: NDArray[np.int64],
    *,
    undefined: str,
    span: tuple[float, float] | None = AGREEMENT,
    value: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Coefficient:
    """Return a statistic of N >= 2 items with its interval.

    Args:
        clusters: number of each item's image, shape (N,).
        undefined: the reason to give if the statistic is undefined on the items themselves.
        span: its range; None where it has no upper end.
        value: the statistic on the items themselves where a library computed it.
        draws: images left out at most, more in so many groups; 0 for no interval.
        seed: decides the groups.
    """
    n = len(clusters)
    figure = float(statistic(np.ones((1, n)))[0]) if value is None else value
    if not math.isfinite(figure):
        return absent(n, undefined)
    if draws == 0:
        return Coefficient(figure, None, None, n)
    _, codes = np.unique(clusters, return_inverse=True)
    count = int(codes.max()) + 1
    groups, number = grouped(codes, draws, seed)
    images = worth_in_images(np.bincount(groups).astype(np.float64))
    if few := too_few(count, images):
        return Coefficient(figure, None, None, n, f"no interval: {few.how.partition(': ')[2]}")
    left = np.concatenate([statistic(weights) for weights in _left_out(groups, number)])
    if not np.isfinite(left).all():
        return Coefficient(figure, None, None, n, "no interval: undefined without some of the images")
    variance = float(variance_of(left - figure, number))
    width = span[1] - span[0] if span else 1.0
    if variance**0.5 <= NOTHING * width:
        return Coefficient(figure, None, None, n, "no interval: the same without any of the images")
    low, high = korn_graubard(figure, variance, images, span) if span else student(figure, variance, images)
    left_out = (
        "jackknife" if number == count else f"{number:,} groups of {count:,} images, seed {seed}, jackknife"
    )
    how = f"95 % by image, {left_out}, {KORN_GRAUBARD if span else STUDENT}"
    return Coefficient(figure, low, high, n, interval=how)


def share(
    marks: NDArray[np.bool_], clusters: NDArray[np.int64], *, draws: int = DRAWS, seed: int = 0
) -> Coefficient:
    """Return the share of marked items, N >= 1, with a score's interval; `seed` decides nothing of it."""
    value, n = float(marks.mean()), len(marks)
    interval = mean_interval(marks.astype(np.float64), clusters, draws=draws)
    if interval is None or interval.low is None:
        return Coefficient(
            value, None, None, n, f"no interval: {interval.how.partition(': ')[2]}" if interval else ""
        )
    return Coefficient(value, interval.low, interval.high, n, interval=interval.how)


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


def _left_out(groups: NDArray[np.int64], number: int) -> Iterator[Floats]:
    """Yield weights of 0 for one group's items and 1 for others, group by group, in blocks."""
    rows = max(1, _BLOCK // len(groups))
    for start in range(0, number, rows):
        without = np.arange(start, min(start + rows, number))
        yield (groups[None, :] != without[:, None]).astype(np.float64)
