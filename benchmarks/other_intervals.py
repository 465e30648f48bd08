"""Other 95 % intervals of a mean over items by image, to be held against ours, from sums by image.

Percentile, BCa and studentised bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997,
sections 5.2 to 5.3. Student's t: the linearised variance of a ratio, degrees of freedom one less than images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

Numbers = NDArray[np.float64]
Ends = tuple[float, float]

NAMES = ("percentile", "BCa", "bootstrap-t", "t")
_TAILS = (0.025, 0.975)


def drawn_images(random: np.random.Generator, images: int, draws: int) -> Numbers:
    """Return how often each image is drawn, shape (D, C)."""
    return random.multinomial(images, np.full(images, 1 / images), size=draws).astype(np.float64)


def intervals(values: Numbers, clusters: NDArray[np.int64], drawn: Numbers) -> dict[str, Ends]:
    """Return each interval by name, of the mean of values (N,) of two or more images numbered (N,)."""
    sums = np.bincount(clusters, weights=values).astype(np.float64)  # (C,)
    sizes = np.bincount(clusters).astype(np.float64)  # (C,)
    count, mean = len(sums), sums.sum() / sizes.sum()
    products = np.stack((sums, sizes, sums**2, sums * sizes, sizes**2), axis=1)
    s, m, ss, sm, mm = (drawn @ products).T  # each (D,)
    means = s / m
    residuals = sums - mean * sizes
    error = np.sqrt(count / (count - 1) * (residuals**2).sum()) / sizes.sum()
    errors = np.sqrt(np.maximum(ss - 2 * means * sm + means**2 * mm, 0) * count / (count - 1)) / m
    half = float(stdtrit(count - 1, 0.975)) * error
    low, high = np.quantile(means, _TAILS)
    return {
        "percentile": (float(low), float(high)),
        "BCa": _bca(means, mean, (sums.sum() - sums) / (sizes.sum() - sizes)),
        "bootstrap-t": _studentised(means, errors, mean, error),
        "t": (mean - half, mean + half),
    }


def _bca(means: Numbers, mean: float, without: Numbers) -> Ends:
    below = np.clip((means < mean).mean() + (means == mean).mean() / 2, 1 / len(means), 1 - 1 / len(means))
    shift, away = ndtri(below), without.mean() - without
    spread = (away**2).sum() ** 1.5
    bend = (away**3).sum() / (6 * spread) if spread > 0 else 0.0
    tails = [ndtr(shift + (shift + z) / (1 - bend * (shift + z))) for z in ndtri(_TAILS)]
    low, high = np.quantile(means, tails)
    return float(low), float(high)


def _studentised(means: Numbers, errors: Numbers, mean: float, error: float) -> Ends:
    # A draw of equal images has no error: as far away as can be, on its side.
    varies = errors > 1e-9
    away = np.where(varies, (means - mean) / np.where(varies, errors, 1), 1e9 * np.sign(means - mean))
    low, high = np.quantile(away, _TAILS)
    return float(mean - high * error), float(mean - low * error)
