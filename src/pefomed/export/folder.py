"""A folder that appears whole or not at all, and replaces nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import DataError
from pefomed.storage import storage_errors


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes `out` at the end; after an error nothing is left of it.

    Raises:
        DataError: there is something at `out`.
        StorageError: nothing can be written there.
    """
    _check_free(out)
    part = out.with_name(f".part-{secrets.token_hex(6)}")
    with storage_errors(out):
        part.mkdir(parents=True)
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
