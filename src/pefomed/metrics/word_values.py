"""The values of answers in metrics that two texts are enough for: exact match, overlap, closed accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.lookup import table
from pefomed.metrics.metric import ItemFunction, TableSection
from pefomed.metrics.references import Reference, best, each_of


def word_values(
    references: Sequence[Reference], answers: Sequence[str], *sections: TableSection
) -> dict[str, NDArray[np.float64]]:
    """Return the value of each answer in every metric of these sections: metric -> (N,)."""
    return {
        name: per_pair(metric.function, references, answers)
        for name, metric in table().items()
        if metric.section in sections and metric.function is not None
    }


def per_pair(
    metric: ItemFunction, references: Sequence[Reference], answers: Sequence[str]
) -> NDArray[np.float64]:
    """Return `metric(reference, answer)` of every answer, of several references the best; shape (N,)."""
    pairs = list(zip(map(each_of, references), answers, strict=True))
    # Few pairs are different: most references and answers are yes, no and some dozens of words.
    known = {pair: best(metric, *pair) for pair in set(pairs)}
    return np.array([known[pair] for pair in pairs], dtype=np.float64)
