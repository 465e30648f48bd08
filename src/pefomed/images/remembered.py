"""The hash of an image file's content, read once in a process as long as the file stays as it is.

The audit, the record of what a stage was trained on, answers and the cache of features all ask for it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pefomed.errors import ImageError
from pefomed.images.addresses import address
from pefomed.images.images import content_hash


def remembered_hash(path: str) -> str:
    """Return `content_hash(path)`.

    Raises:
        ImageError: the file is missing or empty.
    """
    try:
        state = address(path).file.stat()
    except (OSError, ValueError):
        return content_hash(path)  # which says what is wrong
    return _hash_of_file(path, state.st_size, state.st_mtime_ns)


def hash_or_nothing(path: str) -> str:
    """Return `content_hash(path)`, or nothing if the file cannot be read."""
    try:
        return remembered_hash(path)
    except (ImageError, OSError):
        return ""


def hashes(paths: Iterable[str]) -> dict[str, str]:
    """Return the hashes of files by path, read side by side; those that cannot be read have an empty one."""
    distinct = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(distinct, threads.map(hash_or_nothing, distinct), strict=True))


@functools.lru_cache(maxsize=1_000_000)
def _hash_of_file(path: str, size: int, changed: int) -> str:
    """Return the hash of a file as it is now: a recipe's data sets share images, and are audited in pairs."""
    return content_hash(path)
