"""Files that appear whole or not at all, and one clear error for a disk that is full or closed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import StorageError

REMEDY = "free space or choose another folder; what is already written stays usable"

_FULL_OR_CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)

LONGEST_OF_SYSTEMS = 255
"""Bytes of a name that file systems take."""

_HELD = ("checkpoints", "adapter", "predictions", "samples")
_YOUNG = 10.0
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


LONGEST_NAME = 120
"""Bytes of a name that texts of users become part of: file systems take 255, endings and all."""


def safe_stem(name: str) -> str:
    """Return `name` as a file's that any system takes, without ending; empty if nothing is left of it.

    Runs of other characters than [A-Za-z0-9._-] become `-`; none of `-` and `.` begin or end it. Of a long
    name the beginning is left, and a hash of all of it.
    """
    return shortened(re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-."))


def shortened(name: str) -> str:
    """Return `name`, or of one longer than `LONGEST_NAME` its beginning and a hash: two stay two."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    beginning = name.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{beginning}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _new_file(folder: Path) -> tuple[int, Path]:
    """Make and open a file of a name that no other has; its mode is what the umask and the folder leave."""
    while True:  # not tempfile, whose files are the owner's alone
        path = folder / f".part-{secrets.token_hex(6)}"
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), path


@contextlib.contextmanager
def usable_paths() -> Iterator[None]:
    """Turn a path that cannot be one, or may not be looked at, into a `StorageError` that names it.

    Until Python 3.14 `Path.exists` and its like raise an OSError of such a path instead of saying no. It
    decorates what takes a path of a user's; a generator has it around its body.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP):
            raise
        raise path_error(error) from None


def path_error(error: OSError) -> StorageError:
    """Return what the system says about a path as an error of ours."""
    name = str(error.filename or "a name")
    if error.errno == errno.ENAMETOOLONG:
        longest = max(len(os.fsencode(part)) for part in Path(name).parts or ("",))
        what = "path" if longest <= LONGEST_OF_SYSTEMS else "file's name"
        return StorageError(
            f"a {what} is too long: {name[:60]}...",
            found=f"{len(os.fsencode(name)) if what == 'path' else longest:,} bytes",
            remedy=f"a name has at most {LONGEST_OF_SYSTEMS} bytes, a path 4,096: choose a shorter one",
        )
    return StorageError(
        f"cannot use {name}",
        found=os.strerror(error.errno or 0),
        remedy="check that it is there, is what it should be, and may be read and written",
    )


@contextlib.contextmanager
def storage_errors(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Turn a full disk or a place where nothing can be written into a `StorageError` about `path`.

    However it is told: safetensors and torch raise errors of their own, which name the cause in their text.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (*_FULL_OR_CLOSED, *_NO_PLACE):
            raise
        found = os.strerror(error.errno or 0)
        raise StorageError(f"cannot write {path}", found=found, remedy=remedy) from None
    except Exception as error:
        found = _wrapped(error)
        if not found:
            raise
        raise StorageError(f"cannot write {path}", found=found, remedy=remedy) from None


def sweep(run: Path) -> None:
    """Remove what killed writers have left in a run's folder; only who holds the run may call it.

    Beside the run's own files, and in what raters and reports write, others may be writing now: there only
    what is older than `_YOUNG` seconds goes.
    """
    for part in run.rglob(".part-*"):
        own = len(part.relative_to(run).parts) > 1 and part.relative_to(run).parts[0] in _HELD
        with contextlib.suppress(OSError):
            if own or part.is_dir() or time.time() - part.stat().st_mtime > _YOUNG:
                shutil.rmtree(part) if part.is_dir() else part.unlink()


def _wrapped(error: Exception) -> str:
    """Return the cause that a library's error names, if it is one of storage; else nothing."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.errno in _FULL_OR_CLOSED:
        return os.strerror(cause.errno or 0)
    text = str(error)
    if match := re.search(r"(?:os error|code:|Errno) (\d+)", text):
        return os.strerror(int(match[1])) if int(match[1]) in _FULL_OR_CLOSED else ""
    # torch's writer of archives does not say why it could not write.
    if isinstance(error, RuntimeError) and re.search(r"PytorchStreamWriter|inline_container", text):
        return text.splitlines()[0]
    return ""
