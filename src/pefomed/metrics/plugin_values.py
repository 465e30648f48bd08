"""The values of answers in a metric of the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.metric import Metric
from pefomed.metrics.plugins import checked, raised
from pefomed.metrics.references import each_of
from pefomed.schema import Sample


def plugin_values(metric: Metric, samples: Sequence[Sample], answers: Sequence[str]) -> NDArray[np.float64]:
    """Return the metric of each answer, of several references the best; shape (N,).

    Raises:
        DataError: the metric fails; the sample is named.
    """
    known: dict[tuple[tuple[str, ...], str], float] = {}
    best = max if metric.better == "higher" else min
    values = []
    for sample, answer in zip(samples, answers, strict=True):
        pair = (each_of(sample.references), answer)
        if pair not in known:
            known[pair] = best(_value(metric, reference, answer, sample) for reference in pair[0])
        values.append(known[pair])
    return np.array(values, dtype=np.float64)


def _value(metric: Metric, reference: str, answer: str, sample: Sample) -> float:
    assert metric.function is not None
    of = f"the sample {sample.id} (reference {reference[:60]!r}, answer {answer[:60]!r})"
    try:
        value = metric.function(reference, answer)
    except Exception as error:  # whatever a function of somebody else raises
        raise raised(metric, error, of) from error
    return checked(metric, value, of)
