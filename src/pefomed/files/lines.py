"""Lines of a text file, packed or not, one at a time: bounded memory, and errors that name the byte.

UTF-8, or UTF-16 and UTF-32 as their first bytes say, which is how Excel saves "Unicode text"; or the encoding
that is said.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pefomed.errors import DataError
from pefomed.files.files import not_utf8, not_wide, wide_encoding
from pefomed.files.packed import open_unpacked

_PIECE = 2**18  # bytes or characters
LINE_LIMIT = 64 * 2**20
"""Most bytes (or characters) in one line; more is no text file, or a decompression bomb."""

Line = TypeVar("Line", bytes, str)

_MARK = b"\xef\xbb\xbf"  # UTF-8's byte-order mark


def binary_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    r"""Yield the lines of a file without their end; only "\n" ends a line.

    Args:
        encoding: the text's, one that Python knows; by default found as said above.

    Raises:
        DataError: the file is missing, not in its encoding, its gzip is damaged, or a line is too long.
    """
    other = encoding or _wide(path)
    if other:
        said = encoding is not None
        yield from (line.removesuffix("\n") for line in _decoded_lines(path, other, "\n", said))
        return
    read = 0  # bytes before the line
    with open_unpacked(path) as file:
        for number, line in enumerate(_bounded(path, file.readline), 1):
            text = line.removeprefix(_MARK) if number == 1 else line
            try:
                yield text.decode().removesuffix("\n")
            except UnicodeDecodeError as error:
                offset = read + len(line) - len(text) + error.start
                raise not_utf8(path, text[error.start], offset, number) from None
            read += len(line)


def text_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    r"""Yield the lines of a file with their end, "\n", "\r" or "\r\n", as the csv module wants them.

    Arguments and errors: as of `binary_lines`.
    """
    other = encoding or _wide(path)
    if other:
        yield from _decoded_lines(path, other, "", said=encoding is not None)
        return
    with open_unpacked(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        try:
            yield from _bounded(path, text.readline)
        except UnicodeDecodeError:
            raise _wrong_byte(path) from None


def text_pieces(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Yield the text of a file in pieces of any length, for what is not read by lines.

    Arguments and errors: as of `binary_lines`, but for lines, which may be of any length.
    """
    other = encoding or _wide(path)
    with (
        open_unpacked(path) as file,
        io.TextIOWrapper(file, encoding=other or "utf-8-sig", newline="") as text,
    ):
        try:
            first = text.read(_PIECE)
            yield first.removeprefix("\ufeff")
            while piece := text.read(_PIECE):
                yield piece
        except UnicodeError as error:
            raise _undecodable(path, other, error, encoding is not None) from None


def _wide(path: Path) -> str:
    with open_unpacked(path) as file:
        return wide_encoding(file.read(4))


def _decoded_lines(path: Path, encoding: str, newline: str, said: bool) -> Iterator[str]:
    with open_unpacked(path) as file, io.TextIOWrapper(file, encoding=encoding, newline=newline) as text:
        try:
            for number, line in enumerate(_bounded(path, text.readline)):
                yield line if number else line.removeprefix("\ufeff")
        except UnicodeError as error:
            raise _undecodable(path, encoding, error, said) from None


def _undecodable(path: Path, encoding: str, error: UnicodeError, said: bool) -> DataError:
    """Return the error for a text that is not in its encoding, empty for UTF-8, found or `said`."""
    if not encoding:
        return _wrong_byte(path)
    if not said and isinstance(error, UnicodeDecodeError):
        return not_wide(path, encoding, error)
    found = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    return DataError(f"{path} is not {encoding}", found=found, remedy="correct `encoding`")


def _wrong_byte(path: Path) -> DataError:
    """Return the error that names the first byte of a file that is not UTF-8."""
    decoder, read, line = codecs.getincrementaldecoder("utf-8")(), 0, 1
    with open_unpacked(path) as file:
        while piece := file.read(_PIECE):
            pending = decoder.getstate()[0]
            try:
                line += decoder.decode(piece).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                return not_utf8(path, error.object[error.start], read - len(pending) + error.start, line)
            read += len(piece)
    pending = decoder.getstate()[0] or b"\0"
    return not_utf8(path, pending[0], read - len(pending), line)  # it ends within a letter


def _bounded(path: Path, readline: Callable[[int], Line]) -> Iterator[Line]:
    number = 0
    while line := readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            raise DataError(
                f"{path}, line {number} is too long: at most {LINE_LIMIT:,} bytes are read",
                remedy="check that it is the text file it should be",
            )
        yield line
