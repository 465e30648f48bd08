"""Data-set files read with errors that name the file and the place in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, nearest


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte-order mark.

    Raises:
        DataError: the file is missing or not UTF-8; the first wrong byte is named.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"no file at {path}", remedy="check the data folder (--data or PEFOMED_DATA) and the root"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a file", remedy="give the path of the file") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path} is not UTF-8",
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}, line {line}",
            remedy=f"convert it, e.g. `iconv -f WINDOWS-1252 -t UTF-8 {path.name} > new`",
        ) from None


def read_rows(path: Path, required: Iterable[str]) -> list[dict[str, Any]]:
    """Return the objects of a JSON list, each of which has the keys `required`.

    Raises:
        DataError: the file is missing, not UTF-8, not a JSON list of objects, or a key is absent.
    """
    text = read_text(path)
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not JSON",
            found=f"{error.msg} at line {error.lineno}, column {error.colno}",
            remedy="download the file again",
        ) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected a list of objects", found=type(rows).__name__)
    for number, row in enumerate(rows, 1):
        for key in required:
            if key not in row:
                raise DataError(
                    f"{path}, entry {number}: no field {key!r}",
                    remedy=nearest(key, (str(name) for name in row)),
                )
    return rows


def unknown_split(dataset: str, split: str, known: Iterable[str], remedy: str | None = None) -> DataError:
    """Return the error for a split that `dataset` does not have."""
    return DataError(f"{dataset} has no split {split!r}", remedy=remedy or nearest(split, known))
