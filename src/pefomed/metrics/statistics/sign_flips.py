"""p of two systems on the same images: would any naming of the two have set them as far apart?

If neither is better, each image might as well have its two answers the other way round. Of all 2^k ways to
swap the k images that differ, p is the share that sets the systems at least as far apart as they are: an
exact test, whatever the distribution and the number of images (Fisher, The Design of Experiments, 1935,
section 21; Good, Permutation, Parametric and Bootstrap Tests, 2005). All ways are counted where they can be;
else ways are drawn, and p is (1 + as far) / (1 + drawn) (Phipson and Smyth, 2010).
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.statistics.jackknife import Figures

_MOST_COUNTED = 17  # images: 2^16 ways, as each has a mirror image that is equally far
_MOST_STEPS = 20_000  # of a sum of whole numbers, whose distribution is exact for any number of images
_LONG = 1000  # above it the binomial numbers get long, and scipy's are as good
_CLOSE = 1e-9  # ways that are as far apart to so many digits are equally far
_BLOCK = 4_000_000


def p_of_means(
    differences: NDArray[np.float64], draws: int, seed: int, by: str = "image"
) -> tuple[float, str]:
    """Return p of a difference of means, and how it was made.

    Args:
        differences: of each image's sums, shape (C,); both systems have the same items.
        draws: ways to draw where they cannot be counted, above 0.
    """
    differing = differences[differences != 0]
    steps = np.abs(differing)
    if np.all(steps == np.round(steps)) and steps.sum() <= _MOST_STEPS:
        return _p_of_whole(steps.astype(np.int64), abs(differing.sum())), _exact(len(differing), by)
    [p], how = p_of_figures(
        np.zeros((len(differing), 1)), differing[:, None], lambda totals: totals, draws, seed, by
    )
    return p, how


def p_of_figures(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    figures: Figures,
    draws: int,
    seed: int,
    by: str = "image",
) -> tuple[list[float], str]:
    """Return p of a difference of each of M figures, and how all of them were made.

    Args:
        a: the images' sums of one system, shape (C, K).
        b: of the other.
    """
    swaps = b - a
    differ = swaps.any(axis=1)
    count = int(differ.sum())
    start, end = a.sum(0), b.sum(0)
    observed = np.abs(figures(end[None]) - figures(start[None]))[0]  # (M,)
    if count == 0:
        return [1.0] * len(observed), _exact(0, by)
    if count <= _MOST_COUNTED:
        # The last is never swapped: swapping all the others instead is the same, named the other way round.
        ways = np.arange(2 ** (count - 1))[:, None] >> np.arange(count) & 1
        apart = _apart(start, end, ways.astype(np.float64) @ swaps[differ], figures)
        return _at_least(apart, observed).mean(0).tolist(), _exact(count, by)
    different, times = np.unique(swaps[differ], axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(times))
    as_far = np.zeros(len(observed))
    for begin in range(0, draws, rows):
        size = (min(rows, draws - begin), len(times))
        # Of equal images only the number of swapped ones counts.
        alone = times.max() == 1
        ways = random.integers(0, 2, size, dtype=np.int8) if alone else random.binomial(times, 0.5, size)
        apart = _apart(start, end, ways.astype(np.float64) @ different, figures)
        as_far += _at_least(apart, observed).sum(0)
    return ((1 + as_far) / (1 + draws)).tolist(), f"{draws:,} drawn sign flips by {by}, seed {seed}"


def _p_of_whole(steps: NDArray[np.int64], observed: float) -> float:
    """Return p of a sum of whole numbers with random signs, from its distribution: a binomial per number."""
    distribution = np.ones(1)  # of the sum of those with a plus: 0, 1 .. all
    for step, times in zip(*np.unique(steps, return_counts=True), strict=True):
        of_step = np.zeros(step * times + 1)
        of_step[::step] = _binomial(int(times))
        distribution = np.convolve(distribution, of_step)
    apart = np.abs(2 * np.arange(len(distribution)) - steps.sum())
    return min(1.0, float(distribution[apart >= observed].sum()))


def _binomial(times: int) -> NDArray[np.float64]:
    if times <= _LONG:  # to the last digit: 2 / 2^3 is 0.25
        return np.array([comb(times, heads) / 2**times for heads in range(times + 1)])
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(times + 1), times, 0.5))


def _apart(
    start: NDArray[np.float64], end: NDArray[np.float64], moved: NDArray[np.float64], figures: Figures
) -> NDArray[np.float64]:
    return np.abs(figures(end - moved) - figures(start + moved))


def _at_least(apart: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.bool_]:
    # Sums in another order differ in their last digits. What has no value counts as far: p is not too small.
    slack = _CLOSE * np.maximum(np.nanmax(apart, axis=0, initial=0.0), observed)
    return np.asarray(~(apart < observed - slack))


def _exact(images: int, by: str) -> str:
    return f"exact sign flips by {by}, {images:,} {by}{'' if images == 1 else 's'}"
