"""Files that appear whole or not at all, and one clear error for a disk that is full or closed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import StorageError

REMEDY = "free space or choose another folder; what is already written stays usable"

_FULL_OR_CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
_NO_PLACE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP)
"""A file where a folder should be, a folder where the file should be, a name that cannot be."""


def write(path: Path, content: str | bytes, remedy: str = REMEDY) -> None:
    """Write a file by rename, so that a reader or a kill never meets half of it.

    Raises:
        StorageError: the disk is full or the folder cannot be written; `path` is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with storage_errors(path, remedy):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _new_file(path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def as_created(path: Path) -> None:
    """Give a file that another library has written the mode of any new file here.

    safetensors writes for the owner alone, whatever the umask; runs are shared with colleagues.
    """
    with storage_errors(path):
        handle, probe = _new_file(path.parent)
        mode = os.fstat(handle).st_mode
        os.close(handle)
        probe.unlink()
        path.chmod(stat.S_IMODE(mode))


def safe_stem(name: str) -> str:
    """Return `name` as a file's that any system takes, without ending; empty if nothing is left of it.

    Runs of other characters than [A-Za-z0-9._-] become `-`; none of `-` and `.` begin or end it.
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")


def _new_file(folder: Path) -> tuple[int, Path]:
    """Make and open a file of a name that no other has; its mode is what the umask and the folder leave."""
    while True:  # not tempfile, whose files are the owner's alone
        path = folder / f".part-{secrets.token_hex(6)}"
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), path


@contextlib.contextmanager
def storage_errors(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Turn a full disk or a place where nothing can be written into a `StorageError` about `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (*_FULL_OR_CLOSED, *_NO_PLACE):
            raise
        found = os.strerror(error.errno or 0)
        raise StorageError(f"cannot write {path}", found=found, remedy=remedy) from None
