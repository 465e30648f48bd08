"""Files that are packed, read as streams: gzip, bzip2, xz, and zip with one file in it."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from pefomed.errors import DataError, listed
from pefomed.files.files import missing_file
from pefomed.files.unzip import ZIP_FAULTS, is_litter

PACKED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}
"""Endings, and what such a file is called."""

MEMORY_LIMIT = 2**28
"""Most bytes that unpacking may hold; xz's strongest setting needs 65 MiB."""


@contextlib.contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked if its ending says so.

    Raises:
        DataError: the file is missing or damaged, also while it is read; or a zip archive does not hold one
            file.
    """
    kind = PACKED.get(path.suffix.lower(), "")
    try:
        with contextlib.ExitStack() as stack:
            yield cast(BinaryIO, stack.enter_context(_unpacked(path, kind)))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except _FAULTS[kind] as error:
        raise DataError(
            f"{path} is not a whole {kind} file",
            found=str(error) or type(error).__name__,
            remedy="download the file again",
        ) from None


def inner_name(path: Path) -> str:
    """Return the name of what is packed: `a.csv` of `a.csv.gz`; of a zip archive that of its one file.

    An archive that is not to be read has no such name; opening it says why.
    """
    if path.suffix.lower() not in PACKED:
        return path.name
    if path.suffix.lower() == ".zip" and not Path(path.stem).suffix:
        with contextlib.suppress(*ZIP_FAULTS), zipfile.ZipFile(path) as archive:
            names = [member.filename for member in archive.infolist() if not is_litter(member)]
            return names[0] if len(names) == 1 else ""
    return path.stem


_FAULTS: dict[str, tuple[type[Exception], ...]] = {
    "": (),
    "gzip": (gzip.BadGzipFile, EOFError, zlib.error),
    "bzip2": (OSError, EOFError, ValueError),
    "xz": (lzma.LZMAError, EOFError, MemoryError),
    "zip": ZIP_FAULTS,
}


def _unpacked(path: Path, kind: str) -> Any:
    if kind == "gzip":
        return gzip.open(path, "rb")
    if kind == "zip":
        return _one_of(path)
    file = path.open("rb")
    return io.BufferedReader(_Stream(file, kind), 2**16) if kind else file


@contextlib.contextmanager
def _one_of(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not is_litter(member)]
        if len(members) != 1:
            raise DataError(
                f"{path}: a table may be packed as the one file of a zip archive",
                found=listed([member.filename for member in members]) or "an empty archive",
                remedy="unpack it, and name one of its files",
            )
        with archive.open(members[0]) as member:
            yield member


class _Stream(io.RawIOBase):
    """The content of a bzip2 or xz file; xz's own reader sets no limit to the memory a file may ask for."""

    def __init__(self, file: BinaryIO, kind: str):
        self._file, self._kind, self._left = file, kind, b""
        self._unpack = self._new()

    def _new(self) -> Any:
        if self._kind == "bzip2":
            return bz2.BZ2Decompressor()
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_LIMIT)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._unpack.eof:
                self._left = self._unpack.unused_data.lstrip(b"\0") or self._file.read(2**16)
                if not self._left:
                    return 0
                self._unpack = self._new()  # one packed file behind another
            packed = self._left or (self._file.read(2**16) if self._unpack.needs_input else b"")
            if not packed and self._unpack.needs_input:
                raise EOFError("it ends too early")
            self._left = b""
            if data := self._unpack.decompress(packed, len(buffer)):
                buffer[: len(data)] = data
                return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
