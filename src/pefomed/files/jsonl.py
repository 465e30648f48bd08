"""Append-only JSON Lines of records: a cut last line is tolerated and reported, ids are resumable.

pydantic parses each line; libraries for JSON Lines know nothing of writers that were killed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from pefomed.checked import name_of
from pefomed.errors import DataError, json_kind
from pefomed.files.storage import storage_errors, usable_paths
from pefomed.schema import Record

R = TypeVar("R", bound=Record)


class CutLine(UserWarning):
    """The last line of a file was cut (a killed writer); it was left out."""


def read(path: Path, kind: type[R], *, on_cut: list[str] | None = None) -> Iterator[R]:
    """Yield the records of `path` in order; an absent file has none.

    A last line without its line end that does not parse is a writer's that was killed: it is left
    out, and a sentence about it is appended to `on_cut`.

    Raises:
        DataError: any other line is not a valid record, or the file is not UTF-8.
    """
    with usable_paths():
        there = path.exists()
    if not there:
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = kind.model_validate_json(line)
            except ValidationError as error:
                if not line.endswith(b"\n"):
                    if on_cut is not None:
                        on_cut.append(f"{path}: line {number} is cut and was left out")
                    return
                detail = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in detail["loc"])
                raise DataError(
                    f"{path}, line {number}: not a valid {name_of(kind)}",
                    found=f"{where + ': ' if where else ''}{detail['msg']}",
                    remedy="repair or delete the line, then run the command again",
                ) from None
            yield record


@usable_paths()
def read_object(
    path: Path, remedy: str = "delete it and run the step that writes it again"
) -> dict[str, Any]:
    """Return the one JSON object that a file holds.

    Raises:
        DataError: it cannot be read, is not JSON, or holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read", found=error.strerror, remedy=remedy) from None
    except (ValueError, RecursionError) as error:  # not UTF-8 is a ValueError too
        raise DataError(f"{path} is damaged", found=str(error) or "too deep", remedy=remedy) from None
    if not isinstance(value, dict):
        raise DataError(f"{path} is damaged", found=f"{json_kind(value)} instead of an object", remedy=remedy)
    return value


def lines(records: Iterable[Record]) -> str:
    """Return `records` as the text of a file."""
    return "".join(record.model_dump_json() + "\n" for record in records)


@usable_paths()
def append(path: Path, records: Iterable[Record]) -> int:
    """Append `records` and return their number; each line reaches the disk whole or is repaired later.

    A cut last line left by a killed writer is removed first, so that the file never holds a
    damaged line in its middle.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with writer(path) as write:
        return sum(write(record) for record in records)


@contextlib.contextmanager
def writer(path: Path) -> Iterator[Writer]:
    """Open `path` for appending and give a function that writes one record at once."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        drop_cut_line(path)
        # Unbuffered: after a failed write nothing is left that closing the file would write again.
        file = path.open("ab", buffering=0)
    with file:
        yield Writer(path, file)
        with storage_errors(path):
            os.fsync(file.fileno())


class Writer:
    """Writes one record a call; each reaches the operating system before the call returns."""

    def __init__(self, path: Path, file: io.FileIO):
        self._path, self._file = path, file

    def __call__(self, record: Record) -> int:
        rest = record.model_dump_json().encode() + b"\n"
        with storage_errors(self._path):
            while rest:  # a disk that fills takes a part
                rest = rest[self._file.write(rest) :]
        return 1


def ids(path: Path, kind: type[R], key: str = "sample_id") -> set[str]:
    """Return the ids already in `path`; resuming skips them."""
    return {str(getattr(record, key)) for record in read(path, kind)}


def drop_cut_line(path: Path) -> None:
    """Remove the last line of a file if a killed writer left it unfinished; a whole one gets its end."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb+") as file:
        data_end = file.seek(0, os.SEEK_END)
        position = data_end
        # Read backwards in blocks: a prediction file may be large, its last line is not.
        while position > 0:
            start = max(0, position - 65536)
            file.seek(start)
            found = file.read(position - start).rfind(b"\n")
            if found >= 0:
                position = start + found + 1
                break
            position = start
        if position == data_end:
            return
        file.seek(position)
        last = file.read()
        if _is_json(last):  # complete, only its line end is missing
            file.write(b"\n")
        else:
            file.truncate(position)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
