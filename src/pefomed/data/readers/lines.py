"""Lines of a text file, gzipped or not, one at a time: bounded memory, and errors that name the byte.

UTF-8, or UTF-16 and UTF-32 as their first bytes say, which is how Excel saves "Unicode text"; or the encoding
that is said.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from pefomed.data.readers.files import missing_file, not_utf8, not_wide, wide_encoding
from pefomed.errors import DataError

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
    with _opened(path) as file:
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
    with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        try:
            yield from _bounded(path, text.readline)
        except UnicodeDecodeError:
            for _ in binary_lines(path):  # finds and names the byte
                pass
            raise


def _wide(path: Path) -> str:
    with _opened(path) as file:
        return wide_encoding(file.read(4))


def _decoded_lines(path: Path, encoding: str, newline: str, said: bool) -> Iterator[str]:
    with _opened(path) as file, io.TextIOWrapper(file, encoding=encoding, newline=newline) as text:
        try:
            for number, line in enumerate(_bounded(path, text.readline)):
                yield line if number else line.removeprefix("\ufeff")
        except UnicodeError as error:
            if not said and isinstance(error, UnicodeDecodeError):
                raise not_wide(path, encoding, error) from None
            found = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
            raise DataError(f"{path} is not {encoding}", found=found, remedy="correct `encoding`") from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as unpacked:
                yield unpacked
        else:
            with path.open("rb") as file:
                yield file
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a whole gzip file", found=str(error), remedy="download the file again"
        ) from None


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
