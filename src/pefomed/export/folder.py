"""A folder that appears whole or not at all, and replaces nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import DataError
from pefomed.export.leftovers import part_beside, remove_leftovers
from pefomed.files.storage import storage_errors
from pefomed.progress import note


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
            for gone in remove_leftovers(out.parent):
                note(f"{gone}: what an export left that was killed is removed")
            part = stack.enter_context(part_beside(out))
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
