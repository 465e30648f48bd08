"""One label an item from several raters or runs: the majority of right and wrong, the mean of levels."""

from __future__ import annotations

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.tasks import Scale


def mean_label(ratings: Floats) -> Floats:
    """Return each item's mean label, NaN without any: (N, R) -> (N,)."""
    given = ~np.isnan(ratings)
    count = given.sum(axis=1)
    total = np.where(given, ratings, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def majority_label(ratings: Floats, scale: Scale) -> Floats:
    """Return each item's label, NaN where there is none: (N, R) -> (N,).

    Binary: what more than half of the raters say; a tie has no majority. Levels: the mean, rounded to
    the nearest level, halves up.
    """
    mean = mean_label(ratings)
    if scale == "level":
        return np.floor(mean + 0.5)
    return np.where(mean == 0.5, np.nan, np.round(mean))


def ties(ratings: Floats, scale: Scale) -> int:
    """Return the number of labelled items without a majority."""
    labelled = ~np.isnan(ratings).all(axis=1)
    return int((labelled & np.isnan(majority_label(ratings, scale))).sum())
