"""A folder that appears whole or not at all, and replaces nothing.

What an export that was killed left behind is removed by the next one beside it, if it is provably that:

    .part-1f2e3d4c5b6a            the folder that is written
    .part-1f2e3d4c5b6a.export     beside it, locked as long as its export lives: which machine, which folder

The lock goes with its process, whatever ends it. A folder without such a file, of another machine, or whose
file somebody holds, is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import DataError
from pefomed.files.storage import storage_errors
from pefomed.progress import note

try:
    import fcntl
except ImportError:  # Windows has no such locks: nothing is proven there, nothing removed
    fcntl = None  # type: ignore[assignment]

_ENDING = ".export"


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes `out` at the end; after an error nothing is left of it.

    What a killed export left beside `out` is removed first.

    Raises:
        DataError: there is something at `out`.
        StorageError: nothing can be written there.
    """
    _check_free(out)
    with contextlib.ExitStack() as stack:
        with storage_errors(out):
            for gone in _remove_leftovers(out.parent):
                note(f"{gone}: what an export left that was killed is removed")
            part = stack.enter_context(_part_beside(out))
        try:
            yield part
            _check_free(out)
            with storage_errors(out):
                os.replace(part, out)  # over an empty folder too
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _check_free(out: Path) -> None:
    with storage_errors(out):
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return
    raise DataError(
        f"{out} is already there", remedy="name another folder, or remove this one; nothing is overwritten"
    )


@contextlib.contextmanager
def _part_beside(out: Path) -> Iterator[Path]:
    """Make an empty folder beside `out`, and keep saying that it is this process's.

    Raises:
        OSError: nothing can be written there.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".part-{secrets.token_hex(6)}")
    mark = part.with_name(f"{part.name}{_ENDING}")
    handle = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, _said(part))
        part.mkdir()
        yield part
    finally:
        mark.unlink(missing_ok=True)
        os.close(handle)


def _remove_leftovers(folder: Path) -> list[Path]:
    """Remove what killed exports left in `folder`; return the folders that were removed."""
    removed = []
    for mark in sorted(folder.glob(f".part-*{_ENDING}")) if fcntl is not None else ():
        part = mark.with_name(mark.name.removesuffix(_ENDING))
        with contextlib.suppress(OSError), mark.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held: that export lives
            if mark.is_symlink() or part.is_symlink() or file.read(4096) != _said(part):
                continue
            if part.is_dir():
                shutil.rmtree(part)
                removed.append(part)
            mark.unlink()
    return removed


def _said(part: Path) -> bytes:
    return json.dumps({"export": part.name, "machine": platform.node()}).encode()
