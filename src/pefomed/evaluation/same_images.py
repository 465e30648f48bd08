"""Which images are the same file content, found without decoding and with as little reading as possible.

Equal paths and equal files (links) are the same image. Other files are read and hashed only where another
file has the same size; a file that is not there is known by its path alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from pefomed.progress import track


def contents(paths: Iterable[str]) -> dict[str, str]:
    """Return for each path a name of its content: two paths of the same content have the same name."""
    sizes: dict[int, set[tuple[int, int]]] = {}
    files: dict[str, os.stat_result] = {}
    names: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        try:
            files[path] = os.stat(path)
        except OSError:
            names[path] = f"path {os.path.abspath(path)}"
            continue
        sizes.setdefault(files[path].st_size, set()).add(_file(files[path]))
    hashes: dict[tuple[int, int], str] = {}
    for path, status in track(files.items(), "comparing images", len(files), unit="images"):
        file = _file(status)
        if len(sizes[status.st_size]) == 1:
            names[path] = f"file {file}"
            continue
        if file not in hashes:
            hashes[file] = f"sha256 {hashlib.sha256(Path(path).read_bytes()).hexdigest()}"
        names[path] = hashes[file]
    return names


def _file(status: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from others on this machine."""
    return status.st_dev, status.st_ino
