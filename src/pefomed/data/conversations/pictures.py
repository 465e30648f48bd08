"""The pictures of a record: paths within a folder, or the bytes themselves, which go to the cache once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pefomed import urls
from pefomed.data.conversations.content import BASE64
from pefomed.data.conversations.records import unpacked
from pefomed.data.pictures.addresses import with_view, within
from pefomed.data.readers.unpacked import ImageFile, image_of
from pefomed.errors import DataError, nearest

FIELDS = ("images", "image", "image_path", "image_paths", "img")
"""What the field of pictures is called."""

_STAY = "give it relative to the file's folder; the option `images` may name any other folder"


def pictures_of(row: Mapping[str, Any], field: str | None, place: str) -> list[Any]:
    """Return a record's pictures as they are written.

    Args:
        field: what holds them; by default found.

    Raises:
        DataError: there is no field of this name.
    """
    if field is not None and field not in row:
        raise DataError(f"{place}: no field {field!r}", remedy=nearest(field, (str(key) for key in row)))
    names = (field,) if field is not None else FIELDS
    value = next((row[name] for name in names if _is_there(row.get(name))), None)
    value = unpacked(value)
    if not _is_there(value):
        return []
    return [one for one in value if _is_there(one)] if isinstance(value, list) else [value]


def path_of(value: Any, folder: Path, view: str, place: str) -> str:
    """Return the path of one picture, in the view it is shown in.

    Raises:
        DataError: it is none, a URL, or leads out of `folder`.
    """
    return with_view(_file(value, folder, place), view)


def name_of(value: Any, folder: Path, place: str) -> str:
    """Return what a picture is called in a hash of what is asked: as it is written, or by what it holds."""
    found = _found(value, place)
    return Path(found).name if isinstance(found, ImageFile) else found.strip()


def _is_there(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _found(value: Any, place: str) -> str:
    """Return the name of a file as it is written, or an `ImageFile` of what the record itself holds."""
    written = value
    while isinstance(written, Mapping):
        if BASE64 in written:
            written = image_of({"bytes": written[BASE64]}, place)
            break
        key = next((key for key in ("bytes", "url", "path", "image") if _is_there(written.get(key))), None)
        if key is None:
            break
        written = image_of({key: written[key]}, place) if key == "bytes" else written[key]
    found = image_of(written, place)
    if not isinstance(found, str) or not found.strip():
        raise DataError(
            f"{place}: this is no image: the path of one is, or its bytes", found=f"{value!r:.80}"
        )
    return found


def _file(value: Any, folder: Path, place: str) -> str:
    found = _found(value, place)
    if isinstance(found, ImageFile):
        return found
    text = found.strip().removeprefix("file://")
    if url := urls.url_in(text):
        raise DataError(f"{place}: {url} is a URL, not a file", remedy=urls.REMEDY)
    return within(folder, text, place, _STAY)
