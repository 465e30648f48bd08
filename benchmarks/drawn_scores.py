"""Scores drawn at random whose truth is known, to measure how often intervals and tests are right.

An image has a difficulty that all its items share, so items of an image are alike. Sizes: one item an image,
five, or unequal (geometric with mean 6.7, at most 40). Kinds of values:

    right .5, .8, .95   right or wrong; an image's share is Beta with correlation 0.2 within images
    overlap             0, 1 or between (30, 40, 30 %), like overlap of short answers; items independent
    iou                 Phi(1 + image / 2 + 0.8 item), standard normal both: many near 1, a tail to 0
    skewed              exp of a standard normal cut off at 10, like CIDEr (0 to 10); items independent
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SIZES = ("1", "5", "unequal")
_ALIKE = 0.2  # correlation of right and wrong within an image


class Kind(NamedTuple):
    """A kind of values and their true mean."""

    draw: Callable[[np.random.Generator, NDArray[np.int64]], Numbers]
    """Values of the items of images numbered (N,), shape (N,)."""
    truth: float
    top: float = 1.0


class Pair(NamedTuple):
    """Two systems' values of the same items."""

    a: Numbers
    b: Numbers
    clusters: NDArray[np.int64]


def clusters_of(random: np.random.Generator, images: int, size: str) -> NDArray[np.int64]:
    """Return the number of each item's image, shape (N,)."""
    if size == "unequal":
        return np.repeat(np.arange(images), np.minimum(random.geometric(0.15, images), 40))
    return np.repeat(np.arange(images), int(size))


def null_pair(random: np.random.Generator, images: int, size: str, kind: str) -> Pair:
    """Return two systems of which neither is better: equal but for chance, image by image."""
    clusters = clusters_of(random, images, size)
    # Some of an image's difficulty is of both systems, some of each: its items differ alike.
    image = (random.normal(size=images) + 0.6 * random.normal(size=(2, images)))[:, clusters]
    a, b = _phi(0.5 + image + 0.8 * random.normal(size=(2, len(clusters))))
    if kind == "right":
        a, b = ((random.random(len(clusters)) < values).astype(np.float64) for values in (a, b))
    return Pair(a, b, clusters)


def pair_of(
    random: np.random.Generator, images: int, size: str, up: float, down: float
) -> tuple[Pair, float]:
    """Return two systems, b right and a wrong in `up` of the items and the other way in `down`, and b - a."""
    clusters = clusters_of(random, images, size)
    differing = (up + down) * (1 / _ALIKE - 1)
    share = random.beta(differing, (1 / _ALIKE - 1) - differing, images)[clusters]
    differs = random.random(len(clusters)) < share
    better = random.random(len(clusters)) < up / (up + down)
    base = (random.random(len(clusters)) < 0.6).astype(np.float64)
    a = np.where(differs, (~better).astype(np.float64), base)
    b = np.where(differs, better.astype(np.float64), base)
    return Pair(a, b, clusters), up - down


def _right(share: float) -> Kind:
    scale = 1 / _ALIKE - 1

    def draw(random: np.random.Generator, clusters: NDArray[np.int64]) -> Numbers:
        images = random.beta(share * scale, (1 - share) * scale, clusters[-1] + 1)
        return (random.random(len(clusters)) < images[clusters]).astype(np.float64)

    return Kind(draw, share)


def _overlap(random: np.random.Generator, clusters: NDArray[np.int64]) -> Numbers:
    kind, between = random.random((2, len(clusters)))
    return np.asarray(np.where(kind < 0.3, 0.0, np.where(kind < 0.7, 1.0, between)))


def _iou(random: np.random.Generator, clusters: NDArray[np.int64]) -> Numbers:
    image = random.normal(size=clusters[-1] + 1)[clusters]
    return _phi(1 + 0.5 * image + 0.8 * random.normal(size=len(clusters)))


def _skewed(random: np.random.Generator, clusters: NDArray[np.int64]) -> Numbers:
    return np.asarray(np.minimum(random.lognormal(size=len(clusters)), 10.0))


def _phi(values: Numbers) -> Numbers:
    from scipy.special import ndtr

    return np.asarray(ndtr(values))


def _cut_lognormal_mean() -> float:
    # E min(e^Z, 10) = e^(1/2) Phi(ln 10 - 1) + 10 (1 - Phi(ln 10)).
    end = np.log(10)
    return float(np.exp(0.5) * _phi(end - 1) + 10 * (1 - _phi(end)))


KINDS = {
    "right .5": _right(0.5),
    "right .8": _right(0.8),
    "right .95": _right(0.95),
    "overlap": Kind(_overlap, 0.55),
    # Phi of a normal of mean m and variance v has the mean Phi(m / sqrt(1 + v)).
    "iou": Kind(_iou, float(_phi(np.float64(1 / sqrt(1 + 0.25 + 0.64))))),  # type: ignore[arg-type]
    "skewed": Kind(_skewed, _cut_lognormal_mean(), 10.0),
}
