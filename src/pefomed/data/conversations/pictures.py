"""The pictures of a record: paths within a folder, or the bytes themselves, which go to the cache once."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pefomed import urls
from pefomed.data.conversations.content import BASE64
from pefomed.data.conversations.records import unpacked
from pefomed.data.pictures.addresses import with_view, within
from pefomed.data.readers.unpacked import ImageFile, kept
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
    written = _written(value)
    if isinstance(written, str) and not isinstance(written, ImageFile) and not _DATA.match(written):
        return written.strip()
    return Path(_file(value, folder, place)).name


_DATA = re.compile(r"data:[^,]{0,100},", re.IGNORECASE)


def _is_there(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _written(value: Any) -> Any:
    """Return a path, or what holds the bytes, of the objects that pictures are written as."""
    if not isinstance(value, Mapping):
        return value
    for key in ("bytes", BASE64, "url", "path", "image"):
        if _is_there(value.get(key)):
            return {key: value[key]} if key == BASE64 else value[key]
    return value


def _file(value: Any, folder: Path, place: str) -> str:
    written = _written(value)
    if isinstance(written, ImageFile):
        return written
    if isinstance(written, bytes):
        return kept(written, place)
    if isinstance(written, Mapping) and isinstance(written.get(BASE64), str):
        return kept(_decoded(written[BASE64], place), place)
    if not isinstance(written, str) or not written.strip():
        raise DataError(f"{place}: this is no image: a path or its bytes are", found=f"{value!r:.80}")
    text = written.strip()
    if found := _DATA.match(text):
        if not found[0].lower().endswith(";base64,"):
            raise DataError(f"{place}: a data URL must hold base64", found=f"{text:.60}")
        return kept(_decoded(text[found.end() :], place), place)
    text = text.removeprefix("file://")
    if url := urls.url_in(text):
        raise DataError(f"{place}: {url} is a URL, not a file", remedy=urls.REMEDY)
    return within(folder, text, place, _STAY)


def _decoded(text: str, place: str) -> bytes:
    found = _DATA.match(text)
    try:
        return base64.b64decode("".join(text[found.end() if found else 0 :].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(
            f"{place}: the image is not base64", found=str(error), remedy="write the record anew"
        ) from None
