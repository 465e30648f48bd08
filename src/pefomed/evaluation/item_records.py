"""Values of single answers as records, made by whoever computes the values that a score is the mean of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.boxes import PlacedBoxes
from pefomed.boxes.plain import plain_text
from pefomed.evaluation.groups import is_closed
from pefomed.metrics.lookup import metric_of
from pefomed.metrics.references import each_of
from pefomed.schema import ItemScore, Sample

MODEL = "model"
OWN = (MODEL, "blind")
"""Systems whose values are kept: floors' are read by nobody."""

ItemValues = Mapping[str, NDArray[np.float64]]
"""Metric -> value of each item, (N,); NaN of an item that the metric is not of."""


def answer_items(
    samples: Sequence[Sample], texts: Sequence[str], system: str, values: ItemValues
) -> list[ItemScore]:
    """Return a record for each metric of each answer, nothing where its value is NaN.

    Closed accuracy is of closed questions alone.

    Args:
        texts: the answers; what a metric reads of one is kept where it differs.
    """
    found = []
    for name, column in values.items():
        reading, section = metric_of(name).reading, metric_of(name).section
        for sample, text, value in zip(samples, texts, column.tolist(), strict=True):
            if value == value and (section != "closed" or is_closed(sample.meta)):
                read = reading(each_of(sample.references)[0], text) if reading else text
                said = "" if read == text else read
                found.append(
                    ItemScore(sample_id=sample.id, system=system, metric=name, value=value, read=said)
                )
    return found


def value_items(samples: Sequence[Sample], system: str, values: ItemValues) -> list[ItemScore]:
    """Return a record for each metric of each answer."""
    return [
        ItemScore(sample_id=sample.id, system=system, metric=name, value=value)
        for name, column in values.items()
        for sample, value in zip(samples, column.tolist(), strict=True)
    ]


def phrase_items(
    keys: Sequence[tuple[str, int]],
    answers: Sequence[PlacedBoxes],
    system: str,
    values: ItemValues,
    lacking: Mapping[str, Sequence[str]] | None = None,
) -> list[ItemScore]:
    """Return a record for each metric of each phrase, with the boxes that its answer gives it.

    Args:
        keys: of each phrase its sample and its number there, see `phrase_keys`.
        lacking: metric -> why it has no value for each phrase; empty where the metric is not of it.
    """
    read = [read_of(answer) for answer in answers]
    found = []
    for name, column in values.items():
        reasons = (lacking or {}).get(name, ("",) * len(keys))
        for (sample_id, number), said, value, why in zip(keys, read, column.tolist(), reasons, strict=True):
            if value == value or why:
                found.append(
                    ItemScore(
                        sample_id=sample_id,
                        phrase=number,
                        system=system,
                        metric=name,
                        value=value if value == value else None,
                        why=why if value != value else "",
                        read=said,
                    )
                )
    return found


def read_of(answer: PlacedBoxes) -> str:
    """Return the boxes that were read, as JSON; `[]` for none, an empty text where nothing could be read."""
    return plain_text(answer.boxes) if answer.readable else ""
