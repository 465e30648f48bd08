"""How a figure varies over images: each is left out in turn (the jackknife).

With f of all C images and f_i without image i, the variance is (C - 1) / C * sum (f_i - f)^2 (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11, about f in place of the mean of f_i: never
smaller). Images of unequal numbers of items are worth fewer: (sum m_i)^2 / sum m_i^2 of equal ones (Kish,
Survey Sampling, 1965).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Figures = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Totals of shape (D, K) -> M figures of each, shape (D, M), NaN where there is none."""

_BLOCK = 4_000_000  # numbers held at once: 32 MB


def worth_in_images(sizes: NDArray[np.float64]) -> float:
    """Return how many equally large images those of so many items are worth, 1 to C."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def mean_variances(sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variances of K means, shape (K,), from sums (C, K) and items (C,) of C >= 2 images."""
    total, items = sums.sum(0), sizes.sum()
    without = (total - sums) / (items - sizes)[:, None]
    return variance_of(without - total / items, len(sizes))


def figure_variances(
    sums: NDArray[np.float64], figures: Figures, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the variances of M figures, shape (M,), of C >= 2 images' sums, shape (C, K).

    Args:
        values: the figures of all images, shape (M,).

    Returns:
        NaN for a figure that is not defined without one of the images.
    """
    total = sums.sum(0)
    rows = max(1, _BLOCK // sums.shape[1])
    # Sums of right and wrong, of counts and of lengths are whole: nothing is left over in the difference.
    blocks = [figures(total - sums[start : start + rows]) for start in range(0, len(sums), rows)]
    return variance_of(np.concatenate(blocks) - values, len(sums))


def variance_of(changes: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """Return the variance of each column from how leaving out each image changes it, shape (C, M)."""
    return np.asarray((images - 1) / images * (changes**2).sum(0))


def grouped(codes: NDArray[np.int64], most: int, seed: int) -> tuple[NDArray[np.int64], int]:
    """Return each item's group and the number of groups: its image, or one of `most` groups of images.

    Args:
        codes: the items' images, numbered 0 .. C - 1.
        most: groups that are left out at most, at least 2. More images are dealt out at random, equally many
            to a group.
    """
    count = int(codes.max()) + 1
    if count <= max(most, 2):
        return codes, count
    order = np.random.default_rng(seed).permutation(count)
    return (order % max(most, 2))[codes], max(most, 2)
