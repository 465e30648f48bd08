"""Images inside Parquet and Arrow files, written once to the cache as files named by their content.

    <cache>/images/<first two>/<SHA-256 of the bytes>.<jpg|png|...>

The same image behind ten questions is one file, so its features are computed once. An index beside them,
made when a file was unpacked whole, spares the next reading all but the text columns.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pefomed.cache import cache_folder
from pefomed.data.readers.files import inside
from pefomed.errors import DataError
from pefomed.progress import track
from pefomed.storage import write

_BEGINNINGS = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
)
_OUTSIDE = "file:"  # marks an index entry that names a file of its own


class ImageFile(str):
    """An image's absolute path, made by the reader itself: no record has chosen where it leads."""


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


def kept(data: bytes, place: str) -> ImageFile:
    """Return the file that holds an image's bytes, written to the cache if it is not there yet.

    Raises:
        DataError: there are none; `place` names the record.
        StorageError: the cache cannot be written.
    """
    folder = cache_folder().absolute() / "images"
    return ImageFile(folder / _stored(data, folder, place))


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
    if data:
        return _stored(data, folder, place)
    if named:
        inside(path.parent, named, place)
        return _OUTSIDE + str(named)
    return _stored(data, folder, place) if data == b"" else None


def _stored(data: bytes, folder: Path, place: str) -> str:
    if not data:
        raise DataError(f"{place}: an image of 0 bytes", remedy="download the file again")
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
