"""95 % limits of a figure from its value, the variance it has over images, and how many images there are.

A figure with a known range, scaled to [0, 1] as p with variance v, is worth n = p (1 - p) / v right or wrong
items; Korn and Graubard (Survey Methodology 24, 1998) take n down to n (t_1 / t_2)^2, t_2 the quantile of
Student's t with one degree of freedom less than there are images, and give it the exact binomial limits of
Clopper and Pearson (1934), which are quantiles of beta distributions and so defined for an n and n p that are
no whole numbers. They stay in the range, lean to its middle, and are the exact binomial for single items.
"""

from __future__ import annotations

from math import sqrt

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2

KORN_GRAUBARD = "Korn-Graubard limits"
STUDENT = "Student's t"

_MOST_WORTH = 1e6  # items above which both limits are the same, and beta quantiles get inexact


def korn_graubard(
    value: float, variance: float, images: float, span: tuple[float, float] = (0.0, 1.0), items: int = 0
) -> tuple[float, float]:
    """Return the limits of a figure that lies in `span` and varies (variance > 0, images > 1).

    Args:
        images: how many images the items are worth; need not be whole.
        items: their number where each is right or wrong, which they are worth at most; else 0.
    """
    from scipy.special import betaincinv

    start, width = span[0], span[1] - span[0]
    share = min(max((value - start) / width, 0.0), 1.0)
    # Korn and Graubard's t_1 is of the items; values between 0 and 1 have no such number.
    worth = share * (1 - share) * width**2 / variance if variance > 0 else float(items)
    widest = quantile(items - 1 if items > 1 else float("inf"))
    worth = (min(worth, items) if items else worth) * (widest / quantile(images - 1)) ** 2
    if worth > _MOST_WORTH:
        return student(value, variance, images)
    right, wrong = worth * share, worth * (1 - share)
    low = float(betaincinv(right, wrong + 1, TAIL)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, wrong, 1 - TAIL)) if wrong > 0 else 1.0
    return start + width * low, start + width * high


def student(value: float, variance: float, images: float) -> tuple[float, float]:
    """Return the limits of a figure without a known range."""
    half = quantile(images - 1) * sqrt(variance)
    return value - half, value + half


def binomial(images: int) -> float:
    """Return how far from 0 (or 1) a share may be that is 0 (or 1) in all images: Clopper-Pearson."""
    return float(1 - TAIL ** (1 / images))


def quantile(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(1 - TAIL)) if freedom == float("inf") else float(stdtrit(freedom, 1 - TAIL))
