"""The values of answers in a metric of the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.metric import Metric
from pefomed.metrics.plugins import checked, raised
from pefomed.metrics.references import each_of
from pefomed.schema import Sample


def plugin_values(
    metric: Metric, samples: Sequence[Sample], answers: Sequence[str]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the metric of each answer, of several references the best, NaN for none, (N,); and why for none.

    A function says that there is no value by `(None, why)`: such an answer counts nowhere, not as 0.

    Raises:
        DataError: the metric fails; the sample is named.
    """
    known: dict[tuple[tuple[str, ...], str], tuple[float, str]] = {}
    best = max if metric.better == "higher" else min
    values = []
    for sample, answer in zip(samples, answers, strict=True):
        pair = (each_of(sample.references), answer)
        if pair not in known:
            made = [_value(metric, reference, answer, sample) for reference in pair[0]]
            numbers = [value for value, why in made if not why]
            known[pair] = (best(numbers), "") if numbers else made[0]
        values.append(known[pair])
    return np.array([value for value, _ in values], dtype=np.float64), [why for _, why in values]


def _value(metric: Metric, reference: str, answer: str, sample: Sample) -> tuple[float, str]:
    assert metric.function is not None
    of = f"the sample {sample.id} (reference {reference[:60]!r}, answer {answer[:60]!r})"
    try:
        value = metric.function(reference, answer)
    except Exception as error:  # whatever a function of somebody else raises
        raise raised(metric, error, of) from error
    if isinstance(value, tuple) and len(value) == 2 and value[0] is None and str(value[1]).strip():
        return np.nan, str(value[1]).strip()
    return checked(metric, value, of), ""
