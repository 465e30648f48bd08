"""Images inside tables, written once to the cache as files named by their content.

    <cache>/images/<first two>/<SHA-256 of the bytes>.<jpg|png|...>

The same image behind ten questions is one file, so its features are computed once. Of Parquet and Arrow an
index beside them, made when a file was unpacked whole, spares the next reading all but the text columns. In
cells of text see `image_texts`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pefomed.cache import cache_folder
from pefomed.errors import DataError
from pefomed.files.files import inside
from pefomed.files.image_texts import from_base64, image_in
from pefomed.files.storage import write
from pefomed.progress import track

IMAGE_LIMIT = 512 * 2**20
"""Most bytes of one image."""

_BEGINNINGS = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
)
_OWN_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.[a-z]{3,4}")
_OUTSIDE = "file:"  # marks an index entry that names a file of its own


class ImageFile(str):
    """An image's absolute path, made by the reader itself: no record has chosen where it leads."""


def image_of(value: Any, place: str) -> Any:
    """Return a cell of images with those that it holds itself as `ImageFile`s, written to the cache.

    An image is bytes, a data URL, base64, or {"bytes", "path"}; a list of these becomes a list, and so does a
    text that is written as one. Names of files, and what is none of it, are returned as they are.

    Args:
        value: the cell, of any table.
        place: names the row in errors.

    Raises:
        DataError: an image is damaged, empty or too large.
        StorageError: the cache cannot be written.
    """
    if isinstance(value, str):
        value = image_in(value, place)
    if isinstance(value, list) and not _is_bytes(value):
        return [image_of(one, place) for one in value if one is not None]
    if isinstance(value, dict) and value and value.keys() <= {"bytes", "path"}:
        inner = value.get("bytes")
        if inner is None:
            return value.get("path")
        value = from_base64(inner, place) if isinstance(inner, str) else inner
    if _is_bytes(value):
        folder = cache_folder().absolute() / "images"
        return ImageFile(folder / _kept(bytes(value), folder, place))
    return value


def image_files(path: Path, column: str, rows: int, cells: Iterator[Any]) -> list[Any]:
    """Return each row's `ImageFile` (a list for several, None for none), unpacking what is not yet.

    Args:
        path: the Parquet or Arrow file.
        rows: how many there are.
        cells: the column's values: bytes, {"bytes", "path"}, or a list of these; read only if needed.

    Raises:
        DataError: a cell names a file outside of the folder of `path`.
        StorageError: the cache cannot be written.
    """
    folder = cache_folder().absolute() / "images"
    index = folder / "index" / f"{_identity(path, column)}.json"
    names = _read(index, folder)
    if names is None or len(names) != rows:
        shown = track(cells, f"unpacking images of {path.name}", total=rows, unit="images")
        names = []
        for number, cell in enumerate(shown, 1):
            name = functools.partial(_name, folder=folder, path=path, place=f"{path}, row {number}")
            names.append(_each(cell, name))
        write(index, json.dumps(names))
    return [_each(name, lambda one: _path(one, folder, path)) for name in names]


class KeptMembers:
    """Which members of an archive are which images in the cache, known after one reading to its end."""

    def __init__(self, path: Path):
        self._folder = cache_folder().absolute() / "images"
        self._index = self._folder / "index" / f"{_identity(path, 'members')}.json"
        self._known: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = json.loads(self._index.read_text(encoding="utf-8"))
            self._known = found if isinstance(found, dict) else {}
        self._new = not self._known

    def image(self, member: str, content: Callable[[], bytes], place: str) -> ImageFile:
        """Return a member's file; `content` is read only if it is not there.

        Raises:
            DataError: it is empty or too large; see `image_of`.
            StorageError: the cache cannot be written.
        """
        name = self._known.get(member, "")
        if not (_OWN_NAME.fullmatch(name) and (self._folder / name).is_file()):
            self._known[member] = name = _kept(content(), self._folder, place)
            self._new = True
        return ImageFile(self._folder / name)

    def read_to_end(self) -> None:
        """Keep what is known for the next reading.

        Raises:
            StorageError: the cache cannot be written.
        """
        if self._new:
            write(self._index, json.dumps(self._known))
            self._new = False


def _identity(path: Path, column: str) -> str:
    state = path.stat()
    text = f"{path.absolute()}|{state.st_size}|{state.st_mtime_ns}|{column}"
    return hashlib.sha256(text.encode()).hexdigest()


def _read(index: Path, folder: Path) -> list[Any] | None:
    """Return an index whose images are all there, else None."""
    try:
        names = json.loads(index.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    flat = {one for name in names for one in (name if isinstance(name, list) else [name])} - {None}
    there = all(one.startswith(_OUTSIDE) or (folder / one).is_file() for one in flat)
    return names if there else None


def _each(cell: Any, change: Callable[[Any], Any]) -> Any:
    if cell is None:
        return None
    return [change(one) for one in cell if one is not None] if isinstance(cell, list) else change(cell)


def _name(cell: Any, folder: Path, path: Path, place: str) -> str | None:
    data, named = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    if named and not data:
        inside(path.parent, named, place)
        return _OUTSIDE + str(named)
    return None if data is None else _kept(data, folder, place)


def _kept(data: bytes, folder: Path, place: str) -> str:
    """Write an image to the cache, unless it is there, and return its name in `folder`."""
    if not data:
        raise DataError(f"{place}: an image of 0 bytes", remedy="download the file again")
    if len(data) > IMAGE_LIMIT:
        raise DataError(
            f"{place}: an image of too many bytes: at most {IMAGE_LIMIT:,} are read",
            found=f"{len(data):,}",
            remedy="store it as a file of its own",
        )
    name = hashlib.sha256(data).hexdigest() + _ending(data)
    file = folder / name[:2] / name
    if not file.is_file():
        write(file, data)
    return f"{name[:2]}/{name}"


def _ending(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[128:132] == b"DICM":
        return ".dcm"
    # What is no known image is written all the same: whoever opens it says what is wrong with it.
    return next((ending for beginning, ending in _BEGINNINGS if data.startswith(beginning)), ".img")


def _path(name: str, folder: Path, path: Path) -> ImageFile:
    if name.startswith(_OUTSIDE):
        return ImageFile(path.absolute().parent / name.removeprefix(_OUTSIDE))
    return ImageFile(folder / name)


def _is_bytes(value: Any) -> bool:
    """Return whether a value is bytes, as such or as the numbers that JSON writes for them."""
    if isinstance(value, list):
        return len(value) > 8 and all(type(one) is int and 0 <= one < 256 for one in value)
    return isinstance(value, bytes | bytearray | memoryview)
