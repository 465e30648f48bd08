"""Which rows go into which batch at which step: decided before training, by seed alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from pefomed.errors import DataError
from pefomed.recipe import Stage
from pefomed.training import epochs
from pefomed.training.planned import Planned

WINDOW = 16
"""Batches within which rows are sorted by length: little padding, and order stays random at large."""

BLOCK = 8192
"""Rows of an epoch that are cut into batches together. Of a large data set only the blocks that are reached
are measured: a row's length is known once its text has been tokenised."""


R = TypeVar("R", bound=Planned)


def plan(data: Mapping[str, Sequence[R]], stage: Stage, seed: int, processes: int = 1) -> list[list[list[R]]]:
    """Return the stage's optimiser steps, each a list of `accumulate` batches of rows for each process.

    The data set of each batch is drawn by the stage's ratios; each data set is gone through in its own
    shuffled order, again and again. An epoch is as many samples as all data sets have together; the batch
    that reaches the last of `stage.epochs` is the last.
    """
    stream = _batches(data, stage, seed)
    size = stage.accumulate * processes
    if stage.steps is not None:
        batches = list(islice(stream, stage.steps * size))
    else:
        assert stage.epochs is not None
        batches = list(epochs.until(stream, stage.epochs * sum(map(epochs.count, data.values()))))
    return [batches[i : i + size] for i in range(0, len(batches), size)]


def replace_lost(
    steps: Sequence[Sequence[Sequence[R]]], data: Mapping[str, Sequence[R]], lost: Callable[[R], bool]
) -> list[list[list[R]]]:
    """Return `steps` with every lost row replaced by the row of its data set that is nearest in length.

    Number, order and size of the batches stay, so that a training that goes on finds its place.

    Raises:
        DataError: a data set has lost all of its rows.
    """
    others: dict[R, R] = {}
    for name, rows in data.items():
        kept = [row for row in rows if not lost(row)]
        if not kept:
            raise DataError(f"data set {name}: none of its images can be read", remedy="copy them again")
        for row in filter(lost, rows):
            distances = [abs(len(other) - len(row)) for other in kept]
            others[row] = kept[distances.index(min(distances))]
    return [[[others.get(row, row) for row in batch] for batch in step] for step in steps]


def shares(step: Sequence[Sequence[R]], processes: int) -> list[list[Sequence[R]]]:
    """Deal the batches of one step to processes: equally many each, and about equally many tokens.

    The largest batch goes first, to whoever has the fewest tokens. In a last, short step some have one less.
    """
    if processes == 1:
        return [list(step)]
    most = -(-len(step) // processes)
    dealt: list[list[Sequence[R]]] = [[] for _ in range(processes)]
    tokens = [0] * processes
    for batch in sorted(step, key=_padded, reverse=True):
        place = min((p for p in range(processes) if len(dealt[p]) < most), key=lambda p: tokens[p])
        dealt[place].append(batch)
        tokens[place] += _padded(batch)
    return dealt


def padded_batches(rows: Sequence[R], batch_tokens: int, batch_size: int) -> list[list[R]]:
    """Cut rows, in order, into batches of at most `batch_tokens` padded tokens and `batch_size` samples.

    A row that is larger than either alone makes a batch of its own.
    """
    batches: list[list[R]] = []
    longest = samples = 0
    for row in rows:
        longest, samples = max(longest, len(row)), samples + row.questions
        full = not batches or longest * (len(batches[-1]) + 1) > batch_tokens or samples > batch_size
        if full:
            batches.append([])
            longest, samples = len(row), row.questions
        batches[-1].append(row)
    return batches


def _padded(batch: Sequence[Planned]) -> int:
    return max(map(len, batch)) * len(batch)


def _batches(data: Mapping[str, Sequence[R]], stage: Stage, seed: int) -> Iterator[list[R]]:
    names = sorted(data)
    ratios = [stage.data[name] for name in names]
    draw = random.Random(f"{seed}/{stage.name}/mix")
    streams = {name: _endless(data[name], stage, seed, name) for name in names}
    while True:
        name = draw.choices(names, ratios)[0] if len(names) > 1 else names[0]
        yield next(streams[name])


def _endless(rows: Sequence[R], stage: Stage, seed: int, name: str) -> Iterator[list[R]]:
    epoch = 0
    while True:
        yield from _epoch(rows, stage, seed, name, epoch)
        epoch += 1


def _epoch(rows: Sequence[R], stage: Stage, seed: int, name: str, epoch: int) -> Iterator[list[R]]:
    draw = random.Random(f"{seed}/{stage.name}/{name}/{epoch}")
    order = draw.sample(range(len(rows)), len(rows))
    for start in range(0, len(order), BLOCK):
        batches = _block([rows[place] for place in order[start : start + BLOCK]], stage)
        draw.shuffle(batches)
        yield from batches


def _block(rows: Sequence[R], stage: Stage) -> list[list[R]]:
    mean = sum(map(len, rows)) / len(rows)
    mean_questions = sum(row.questions for row in rows) / len(rows)
    per_batch = min(stage.batch_tokens / mean, stage.batch_size / mean_questions)
    window = max(1, int(WINDOW * max(per_batch, 1)))
    batches: list[list[R]] = []
    for start in range(0, len(rows), window):
        part = sorted(rows[start : start + window], key=len)
        batches += padded_batches(part, stage.batch_tokens, stage.batch_size)
    return batches
