"""Fingerprints of image files, each computed once and kept on disk by the hash of the file's content.

One SQLite file, `<cache>/audit/fingerprints-<format>-pillow-<version>.sqlite`, about 1.4 KB an image: another
Pillow may decode a JPEG to other pixels. What is computed is written every few hundred images, so that a
killed audit goes on where it was, and several may run at once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL

from pefomed.errors import ImageError, StorageError
from pefomed.files.storage import storage_errors
from pefomed.images.fingerprints import Fingerprint, fingerprint
from pefomed.images.images import from_image
from pefomed.images.remembered import remembered_hash
from pefomed.progress import ProgressLine, line

FORMAT = 1
"""Raised when a fingerprint, or what a file decodes to, changes."""

TOGETHER = 256
"""Images written at once."""

_REMEDY = "free space, or set PEFOMED_CACHE to a folder that can be written; what is stored stays usable"


class Fingerprints:
    """The fingerprints of the files that were read, by path.

    Args:
        folder: the cache folder, or None to keep nothing on disk.
    """

    def __init__(self, folder: Path | None):
        self._file = _file(folder)
        self._connection = _opened(self._file)
        self.pixels: dict[str, str] = {}
        """The hash of the decoded image of every readable file."""
        self.bits: dict[str, bytes] = {}
        """The perceptual hash, by the hash of the decoded image."""
        self.unreadable: dict[str, ImageError] = {}
        self.computed = 0
        """Images that were decoded."""

    def close(self) -> None:
        """Close the file on disk."""
        self._connection.close()

    def read(self, paths: Iterable[str]) -> None:
        """Learn the fingerprints of the files at `paths`, decoding those that are not known yet.

        Raises:
            StorageError: the cache cannot be written.
        """
        new = [path for path in dict.fromkeys(paths) if path not in self.pixels]
        threads = ThreadPoolExecutor(os.cpu_count())
        with threads, line("reading images", len(new), "images") as shown:
            for some in _batched(new):
                self._read(some, threads, shown)

    def thumbnails(self, pixels: Sequence[str]) -> dict[str, bytes]:
        """Return the thumbnails of images by the hashes of their pixels."""
        found: dict[str, bytes] = {}
        for some in _batched(list(dict.fromkeys(pixels))):
            marks = ",".join("?" * len(some))
            query = f"SELECT pixels, thumbnail FROM fingerprints WHERE pixels IN ({marks})"
            with self._storage():
                found |= dict(self._connection.execute(query, some))
        return found

    def _read(self, paths: Sequence[str], threads: ThreadPoolExecutor, shown: ProgressLine) -> None:
        keys = dict(zip(paths, threads.map(_content, paths), strict=True))
        of_key = {key: path for path, key in keys.items() if isinstance(key, str)}
        known = self._stored(list(of_key))
        missing = [key for key in of_key if key not in known]
        shown.advance(len(paths) - len(missing))
        made: dict[str, Fingerprint] = {}
        failed: dict[str, ImageError] = {}
        for key, outcome in zip(
            missing, threads.map(_decoded, (of_key[key] for key in missing)), strict=True
        ):
            if isinstance(outcome, Fingerprint):
                made[key] = outcome
            else:
                failed[key] = outcome
            shown.advance()
        self._store(made)
        self.computed += len(made)
        known.update((key, (each.pixels, each.bits)) for key, each in made.items())
        for path, found in keys.items():
            if isinstance(found, ImageError):
                self.unreadable[path] = found
            elif found in failed:
                self.unreadable[path] = failed[found]
            else:
                pixels, bits = known[found]
                self.pixels[path] = pixels
                self.bits[pixels] = bits

    def _stored(self, keys: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        marks = ",".join("?" * len(keys))
        query = f"SELECT content, pixels, bits FROM fingerprints WHERE content IN ({marks})"
        with self._storage():
            rows = self._connection.execute(query, keys).fetchall()
        return {content: (pixels, bits) for content, pixels, bits in rows}

    def _store(self, made: Mapping[str, Fingerprint]) -> None:
        rows = [(key, each.pixels, each.bits, each.thumbnail) for key, each in made.items()]
        with self._storage(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO fingerprints VALUES (?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _unusable(self._file, error) from None


def _file(folder: Path | None) -> str:
    if folder is None:
        return ":memory:"
    path = folder / "audit" / f"fingerprints-{FORMAT}-pillow-{PIL.__version__}.sqlite"
    with storage_errors(path, _REMEDY):
        path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


def _opened(file: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(file, timeout=60)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS fingerprints"
            " (content TEXT PRIMARY KEY, pixels TEXT, bits BLOB, thumbnail BLOB)"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS by_pixels ON fingerprints (pixels)")
    except sqlite3.Error as error:
        raise _unusable(file, error) from None
    return connection


def _unusable(file: str, error: sqlite3.Error) -> StorageError:
    return StorageError(
        f"the audit cannot use {file}",
        found=str(error),
        remedy="delete it if it is damaged, free space, or set PEFOMED_CACHE to another folder",
    )


def _content(path: str) -> str | ImageError:
    try:
        return remembered_hash(path)
    except ImageError as error:
        return error


def _decoded(path: str) -> Fingerprint | ImageError:
    try:
        return from_image(path, fingerprint)
    except ImageError as error:
        return error


def _batched(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + TOGETHER] for start in range(0, len(items), TOGETHER))
