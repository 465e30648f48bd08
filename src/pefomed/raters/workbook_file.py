"""A spreadsheet from outside, opened with care: its cells alone, and no more of them than there may be."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from PIL import Image

LARGEST = 500_000_000
"""Most bytes a workbook may unpack to."""

LARGEST_TABLES = 20_000_000
"""Most of these that are not images: openpyxl takes some fifty times as much memory for them."""

ROWS = 100_000
"""Most rows of a sheet: the last one may say that it is any."""

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, lzma.LZMAError,
    struct.error, zipfile.BadZipFile, zlib.error, Image.DecompressionBombError, InvalidFileException,
)  # fmt: skip
"""What openpyxl raises on damaged files; of what is no XML a SyntaxError."""


def open_workbook(path: Path) -> Any:
    """Return the workbook at `path`, or in words why it is not read."""
    try:
        with zipfile.ZipFile(path) as packed:
            harm = _harm(packed)
        if harm is not None:
            return harm
        book = load_workbook(path)
        if any(sheet.max_row > ROWS for sheet in book.worksheets):
            return f"a sheet with more than {ROWS:,} rows"
    except _FAULTS as error:
        return f"not a readable .xlsx file ({str(error) or type(error).__name__})"
    return book


def _harm(packed: zipfile.ZipFile) -> str | None:
    """Return what in a workbook would take the memory or read other files; None if nothing would."""
    tables = [part for part in packed.infolist() if not part.filename.startswith("xl/media/")]
    if sum(part.file_size for part in packed.infolist()) > LARGEST:
        return f"unpacks to more than {LARGEST // 1_000_000} MB"
    if sum(part.file_size for part in tables) > LARGEST_TABLES:
        return f"holds more than {LARGEST_TABLES // 1_000_000} MB beside its images"
    # Entities could grow without bound, or name other files; no office program writes any.
    if any(b"<!DOCTYPE" in packed.read(part).replace(b"\0", b"") for part in tables):
        return "holds XML declarations, which are not read"
    return None
