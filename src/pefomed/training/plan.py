"""Which rows go into which batch at which step: decided before training, by seed alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from pefomed.batch import Row
from pefomed.errors import DataError
from pefomed.recipe import Stage

WINDOW = 16
"""Batches within which rows are sorted by length: little padding, and order stays random at large."""


def plan(data: dict[str, list[Row]], stage: Stage, seed: int, processes: int = 1) -> list[list[list[Row]]]:
    """Return the stage's optimiser steps, each a list of `accumulate` batches of rows for each process.

    The data set of each batch is drawn by the stage's ratios; each data set is gone through in its own
    shuffled order, again and again. An epoch is as many batches as all data sets have together.
    """
    stream = _batches(data, stage, seed)
    size = stage.accumulate * processes
    if stage.steps is not None:
        batches = list(islice(stream, stage.steps * size))
    else:
        assert stage.epochs is not None
        per_epoch = sum(len(_epoch(rows, stage, seed, name, 0)) for name, rows in data.items())
        batches = list(islice(stream, max(1, round(stage.epochs * per_epoch))))
    return [batches[i : i + size] for i in range(0, len(batches), size)]


def replaced(
    steps: Sequence[Sequence[Sequence[Row]]], data: Mapping[str, Sequence[Row]], lost: Callable[[Row], bool]
) -> list[list[list[Row]]]:
    """Return `steps` with every lost row replaced by the row of its data set that is nearest in length.

    Number, order and size of the batches stay, so that a training that goes on finds its place.

    Raises:
        DataError: a data set has lost all of its rows.
    """
    others: dict[int, Row] = {}
    for name, rows in data.items():
        kept = [row for row in rows if not lost(row)]
        if not kept:
            raise DataError(f"data set {name}: none of its images can be read", remedy="copy them again")
        for row in filter(lost, rows):
            distances = [abs(len(other) - len(row)) for other in kept]
            others[id(row)] = kept[distances.index(min(distances))]
    return [[[others.get(id(row), row) for row in batch] for batch in step] for step in steps]


def shares(step: Sequence[list[Row]], processes: int) -> list[list[list[Row]]]:
    """Deal the batches of one step to processes: equally many each, and about equally many tokens.

    The largest batch goes first, to whoever has the fewest tokens. In a last, short step some have one less.
    """
    if processes == 1:
        return [list(step)]
    most = -(-len(step) // processes)
    dealt: list[list[list[Row]]] = [[] for _ in range(processes)]
    tokens = [0] * processes
    for batch in sorted(step, key=_padded, reverse=True):
        place = min((p for p in range(processes) if len(dealt[p]) < most), key=lambda p: tokens[p])
        dealt[place].append(batch)
        tokens[place] += _padded(batch)
    return dealt


def padded_batches(rows: Sequence[Row], batch_tokens: int, batch_size: int) -> list[list[Row]]:
    """Cut rows, in order, into batches of at most `batch_tokens` padded tokens and `batch_size` samples.

    A row that is larger than either alone makes a batch of its own.
    """
    batches: list[list[Row]] = []
    longest = samples = 0
    for row in rows:
        longest, samples = max(longest, len(row)), samples + len(row.sequences)
        full = not batches or longest * (len(batches[-1]) + 1) > batch_tokens or samples > batch_size
        if full:
            batches.append([])
            longest, samples = len(row), len(row.sequences)
        batches[-1].append(row)
    return batches


def _padded(batch: Sequence[Row]) -> int:
    return max(map(len, batch)) * len(batch)


def _batches(data: dict[str, list[Row]], stage: Stage, seed: int) -> Iterator[list[Row]]:
    names = sorted(data)
    ratios = [stage.data[name] for name in names]
    draw = random.Random(f"{seed}/{stage.name}/mix")
    streams = {name: _endless(data[name], stage, seed, name) for name in names}
    while True:
        name = draw.choices(names, ratios)[0] if len(names) > 1 else names[0]
        yield next(streams[name])


def _endless(rows: list[Row], stage: Stage, seed: int, name: str) -> Iterator[list[Row]]:
    epoch = 0
    while True:
        yield from _epoch(rows, stage, seed, name, epoch)
        epoch += 1


def _epoch(rows: list[Row], stage: Stage, seed: int, name: str, epoch: int) -> list[list[Row]]:
    draw = random.Random(f"{seed}/{stage.name}/{name}/{epoch}")
    order = draw.sample(rows, len(rows))
    mean = sum(map(len, rows)) / len(rows)
    mean_samples = sum(len(row.sequences) for row in rows) / len(rows)
    per_batch = min(stage.batch_tokens / mean, stage.batch_size / mean_samples)
    window = max(1, int(WINDOW * max(per_batch, 1)))
    batches: list[list[Row]] = []
    for start in range(0, len(order), window):
        part = sorted(order[start : start + window], key=len)
        batches += padded_batches(part, stage.batch_tokens, stage.batch_size)
    draw.shuffle(batches)
    return batches
