"""What the record batches of an Arrow file unpack to, as they say themselves, before anything is unpacked.

Each buffer of a compressed batch (LZ4, ZSTD) begins with its unpacked length, 8 bytes, -1 for one that is
stored as it is. Where the buffers are stands in the batch's message, a flatbuffer
(arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc). pyarrow takes
memory for these lengths without asking, so that a few kilobytes ask for any amount.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"ARROW1"
_DICTIONARY, _BATCH = 2, 3
"""Kinds of messages."""


@dataclass(frozen=True)
class Table:
    """A table of a flatbuffer: its fields are found by their numbers."""

    data: bytes
    place: int

    def at(self, field: int) -> int:
        """Return where a field of this number is; 0 for one that is not there."""
        fields = self.place - _number(self.data, self.place, "<i")
        size = _number(self.data, fields, "<H")
        offset = _number(self.data, fields + 4 + 2 * field, "<H") if 4 + 2 * field < size else 0
        return self.place + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        """Return a field that is a number in a form of `struct`; 0 for one that is not there."""
        place = self.at(field)
        return _number(self.data, place, form) if place else 0

    def table(self, field: int) -> Table | None:
        """Return a field that is a table."""
        place = self.at(field)
        return Table(self.data, place + _number(self.data, place, "<I")) if place else None

    def structs(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        """Yield the entries of a list of structs."""
        place = self.at(field)
        if not place:
            return
        start = place + _number(self.data, place, "<I")
        size = struct.calcsize(form)
        for number in range(_number(self.data, start, "<I")):
            yield struct.unpack_from(form, self.data, start + 4 + number * size)


def unpacked_sizes(path: Path) -> Iterator[int]:
    """Yield how many bytes each compressed record batch or dictionary of a file says to unpack to.

    Raises:
        struct.error, ValueError: the file is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(len(MAGIC)) == MAGIC:
            for place in _indexed(file, length):
                yield _message(file, place, length)[0]
            return
        place = 0
        while place < length:
            size, place = _message(file, place, length)
            yield size


def _message(file: BinaryIO, place: int, length: int) -> tuple[int, int]:
    """Return what a message unpacks to, and where the next one is: the file's end behind the last."""
    file.seek(place)
    start = file.read(8)
    marked = start[:4] == b"\xff\xff\xff\xff"
    begin, size = place + (8 if marked else 4), _number(start, 4 if marked else 0, "<i")
    if not size:  # the end of a stream
        return 0, length
    if size < 0 or begin + size > length:
        raise ValueError("a message that is longer than the file")
    file.seek(begin)
    message = _root(file.read(size))
    inside = message.number(3, "<q")
    if inside < 0:
        raise ValueError("a message of a negative length")
    return sum(_lengths(file, message, begin + size, length)), begin + size + inside


def _indexed(file: BinaryIO, length: int) -> Iterator[int]:
    """Yield where the messages are that the index at the end names."""
    file.seek(max(0, length - 10))
    tail = file.read(10)
    size = _number(tail, 0, "<i")
    if tail[4:] != MAGIC or not 0 < size <= length - 10:
        raise ValueError("no index at its end")
    file.seek(length - 10 - size)
    footer = _root(file.read(size))
    for field in (2, 3):
        for place, _, _, _ in footer.structs(field, "<qiiq"):
            if not 0 <= place < length:
                raise ValueError("an index that leads out of the file")
            yield place


def _lengths(file: BinaryIO, message: Table, body: int, length: int) -> Iterator[int]:
    kind, header = message.number(1, "<B"), message.table(2)
    batch = header.table(1) if kind == _DICTIONARY and header else header if kind == _BATCH else None
    if batch is None or not batch.at(3):
        return
    for offset, size in batch.structs(2, "<qq"):
        if size:
            if not 0 <= body + offset <= length - 8:
                raise ValueError("a buffer outside of the file")
            file.seek(body + offset)
            unpacked = _number(file.read(8), 0, "<q")
            yield size if unpacked == -1 else max(0, unpacked)


def _root(data: bytes) -> Table:
    return Table(data, _number(data, 0, "<I"))


def _number(data: bytes, place: int, form: str) -> int:
    if place < 0:
        raise ValueError("an offset before the beginning")
    found: int = struct.unpack_from(form, data, place)[0]
    return found
