"""What equal labels of a sample leave open about the answers that nobody was shown.

n equal labels have no spread, however small n is. Clopper and Pearson's (1934) interval of
their share is 1 - 0.025^(1/n) wide at 95 %; it counts by the share that their kind has among all answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDENED = "widened (Clopper-Pearson) for answers not shown, where all shown of a kind got one label"


def left_open(labels: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how far a figure may lie below and above what its interval says.

    Args:
        labels: 0 or 1 of each voice about each answer, NaN for none; shape (V, N).
        right: the two kinds that were sampled apart, shape (N,).
    """
    below = above = 0.0
    for kind in (~right, right):
        given = labels[:, kind]
        shown = int(np.isfinite(given).any(0).sum())
        values = given[np.isfinite(given)]
        if not 0 < shown < kind.sum() or len(np.unique(values)) > 1:
            continue
        width = float(kind.mean() * (1 - 0.025 ** (1 / shown)))
        if values[0]:
            below += width
        else:
            above += width
    return below, above
