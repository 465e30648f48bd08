"""Epochs: the samples a stage has seen by the samples that its data sets have.

A batch holds as many samples as fit, and of a mix each batch is drawn by the ratios: neither steps nor
batches say how often the data was gone through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from pefomed.training.planned import Planned
from pefomed.training.stored_rows import StoredRow, StoredRows

R = TypeVar("R", bound=Planned)

_ROUNDING = 1e-9
"""Relative; 0.1 epochs of 30 samples are 3.0000000000000004 of them."""


def count(rows: Iterable[Planned]) -> int:
    """Return the number of samples in `rows`."""
    return sum(row.questions for row in rows)


def until(batches: Iterable[list[R]], samples: float) -> Iterator[list[R]]:
    """Yield batches until `samples` samples have been seen; at least one batch."""
    seen = 0
    for batch in batches:
        yield batch
        seen += count(batch)
        if seen >= samples * (1 - _ROUNDING):
            return


def after_each(steps: Sequence[Sequence[Sequence[Planned]]], samples: int) -> list[float]:
    """Return the epochs done after each step, of data sets with `samples` samples in all."""
    seen = accumulate(sum(count(batch) for batch in step) for step in steps)
    return [so_far / samples for so_far in seen]


def validation_steps(epochs: Sequence[float], every: float) -> set[int]:
    """Return the steps, from 1, that complete a multiple of `every` epochs, and the last one."""
    passed = [math.floor(done / every * (1 + _ROUNDING)) for done in epochs]
    before = [0, *passed]
    return {step for step, (b, p) in enumerate(zip(before, passed, strict=False), 1) if p > b} | {len(epochs)}


def passes(
    steps: Sequence[Sequence[Sequence[StoredRow]]], data: Mapping[str, StoredRows]
) -> dict[str, float]:
    """Return how often each data set is gone through, by its own samples."""
    rows = [row for step in steps for batch in step for row in batch]
    return {
        name: count(row for row in rows if row.rows is part) / len(part.samples)
        for name, part in data.items()
    }
