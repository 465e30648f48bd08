"""WASM, the weighted average of the levels 0 to 4 given to reports: sum(i * N_i) / sum(N_i).

From PeFoMed; 0 no agreement at all, 4 hardly distinguishable. N_i may be a mean over raters or runs, and
so a fraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import DataError
from pefomed.metrics.statistics.interval import DRAWS, Interval, mean_interval

LEVELS = range(5)


def wasm(counts: Sequence[float]) -> float:
    """Return the WASM, 0 to 4, of the number of items at each of the levels 0..4.

    Raises:
        DataError: not five counts, a negative one, or none above 0.
    """
    if len(counts) != len(LEVELS) or min(counts) < 0 or sum(counts) <= 0:
        raise DataError(
            "WASM needs the number of items at each of the levels 0 to 4",
            found=", ".join(f"{count:g}" for count in counts) or "nothing",
            remedy="give five numbers, none below 0 and at least one above",
        )
    return sum(level * count for level, count in zip(LEVELS, counts, strict=True)) / sum(counts)


def level_counts(labels: Iterable[int]) -> list[int]:
    """Return how many labels are at each of the levels 0..4.

    Raises:
        DataError: a label is none of these.
    """
    counts = [0] * len(LEVELS)
    for label in labels:
        if label not in LEVELS:
            raise DataError("a level is a whole number from 0 to 4", found=str(label))
        counts[label] += 1
    return counts


def wasm_interval(
    labels: Sequence[int], clusters: NDArray[np.int64], *, draws: int = DRAWS
) -> tuple[float, Interval | None]:
    """Return the WASM of one rater's labels and its 95 % interval by cluster (image or study).

    Args:
        labels: the levels given, N of them.
        clusters: the number of each item's image, shape (N,).

    Raises:
        DataError: there is no label, or one is off the scale.
    """
    value = wasm(level_counts(labels))
    levels = np.array(labels, dtype=np.float64)
    return value, mean_interval(levels, clusters, top=LEVELS[-1], draws=draws)
