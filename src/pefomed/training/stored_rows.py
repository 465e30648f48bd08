"""The rows of a data set, built when they are asked for: planning needs three numbers of each.

A manifest of a million samples would take gigabytes as samples and tokens. Here they wait in a file; in
memory are which samples make a row, its length once somebody asked for it, and the first rows that are built,
as many as `KEPT` tokens allow: a small data set is tokenised once, not once an epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from pefomed.packing.batch import PackedRow, Tokens, row
from pefomed.schema import Sample
from pefomed.training.sample_store import SampleStore

KEPT = 1_000_000
"""Tokens of a data set's rows that stay in memory; a row takes some 100 bytes a token."""

Tokenise = Callable[[Iterable[Sample]], list[Tokens]]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row of `rows`: what planning asks for, and the row itself when its step has come."""

    rows: StoredRows
    place: int

    def __len__(self) -> int:
        return self.rows.measured(self.place)[0]

    @property
    def answer_tokens(self) -> int:
        return self.rows.measured(self.place)[1]

    @property
    def questions(self) -> int:
        return len(self.rows.members(self.place))

    @property
    def images(self) -> tuple[str, ...]:
        return self.rows.samples[self.rows.members(self.place)[0]].images

    def built(self) -> PackedRow:
        return self.rows.build(self.place)


class StoredRows(Sequence[StoredRow]):
    """All rows of a data set: those `packing.batch.rows` would make, in its order.

    Args:
        samples: every one has an answer.
        tokenise: samples to tokens, as `packing.batch.tokenise`; called when a row is built.
        share_image: all samples of an image in one row, at most `max_questions`; else one each.
    """

    def __init__(self, samples: SampleStore, tokenise: Tokenise, *, share_image: bool, max_questions: int):
        self.samples, self._tokenise = samples, tokenise
        if share_image:
            self._order, self._starts = _grouped(samples, max_questions)
        else:
            self._order, self._starts = np.arange(len(samples)), np.arange(len(samples) + 1)
        self._lengths = np.zeros(len(self), np.int32)
        self._answers = np.zeros(len(self), np.int32)
        self._kept: dict[int, PackedRow] = {}
        self._room = KEPT

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> StoredRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[StoredRow]: ...
    def __getitem__(self, place: int | slice) -> StoredRow | list[StoredRow]:
        """Return one row, or a list of those a slice names; nothing is read."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return StoredRow(self, place)

    def members(self, place: int) -> list[int]:
        """Return the numbers of the row's samples."""
        found: list[int] = self._order[self._starts[place] : self._starts[place + 1]].tolist()
        return found

    def tokens(self, numbers: Iterable[int]) -> list[Tokens]:
        """Return the tokens of the samples of these numbers.

        Raises:
            DataError: a text is longer than the recipe allows.
        """
        return self._tokenise([self.samples[number] for number in numbers])

    def build(self, place: int) -> PackedRow:
        """Return the row's tree of tokens.

        Raises:
            DataError: a text is longer than the recipe allows.
        """
        if place in self._kept:
            return self._kept[place]
        built = row(self.tokens(self.members(place)))
        if len(built) <= self._room:
            self._kept[place] = built
            self._room -= len(built)
        return built

    def measured(self, place: int) -> tuple[int, int]:
        """Return nodes and answer tokens of the row, building it the first time."""
        if not self._lengths[place]:
            built = self.build(place)
            self._lengths[place], self._answers[place] = len(built), built.answer_tokens
        return int(self._lengths[place]), int(self._answers[place])


def _grouped(samples: SampleStore, max_questions: int) -> tuple[Numbers, Numbers]:
    """Return sample numbers row by row (N,), and where each row starts (R + 1,); as `packing.batch` deals."""
    keys = np.frombuffer(bytes(samples.image_keys), dtype=[("high", "<u8"), ("low", "<u8")])
    by_image = np.lexsort((keys["low"], keys["high"]))  # stable: the samples of an image keep their order
    begins = _changes(keys[by_image])
    sizes = np.diff([*begins, len(by_image)])
    parts = -(-sizes // max_questions)
    first = np.repeat(by_image[begins], sizes)  # an image's rows stand where the image came first
    part = (np.arange(len(by_image)) - np.repeat(begins, sizes)) % np.repeat(parts, sizes)
    dealt = np.lexsort((by_image, part, first))
    rows = np.stack([first, part], axis=1)[dealt]
    return by_image[dealt], np.append(_changes(rows), len(by_image))


def _changes(keys: np.ndarray) -> Numbers:
    """Return where an entry differs from the one before it, the first one included."""
    differs = keys[1:] != keys[:-1]
    return np.flatnonzero(np.append(True, differs.any(axis=1) if keys.ndim > 1 else differs))
