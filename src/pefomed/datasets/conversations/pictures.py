"""The pictures of a record: paths within a folder, or the bytes themselves, which go to the cache once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pefomed.datasets.conversations.content import BASE64
from pefomed.datasets.conversations.records import unpacked
from pefomed.errors import DataError
from pefomed.files.unpacked import ImageFile, image_of
from pefomed.mapping.cells import cell
from pefomed.mapping.images import ImageColumns, Picture
from pefomed.mapping.source import AnySource

FIELDS = ("images", "image", "image_path", "image_paths", "img")
"""What the field of pictures is called."""


def pictures_of(row: Mapping[str, Any], field: AnySource | None, place: str) -> list[Any]:
    """Return a record's pictures as they are written.

    Args:
        field: what holds them; by default found.

    Raises:
        DataError: there is no field of this name.
    """
    if field is not None:
        value = cell(row, field, place)
    else:
        value = next((row[name] for name in FIELDS if _is_there(row.get(name))), None)
    value = unpacked(value)
    if not _is_there(value):
        return []
    return [one for one in value if _is_there(one)] if isinstance(value, list) else [value]


def picture_of(value: Any, pictures: ImageColumns, place: str) -> Picture:
    """Return one picture in the view it is shown in, with a name that is the same wherever the data lies.

    Raises:
        DataError: it is none, a URL, or leads out of the folder.
    """
    found = pictures.picture(_found(value, place), place)
    if found is None:
        raise _no_picture(value, place)
    return found


def _is_there(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _found(value: Any, place: str) -> Any:
    """Return the name of a file as it is written, or what the record itself holds as a file of the cache."""
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
    if not isinstance(found, str):
        raise _no_picture(value, place)
    return found if isinstance(found, ImageFile) else found.strip().removeprefix("file://")


def _no_picture(value: Any, place: str) -> DataError:
    return DataError(f"{place}: this is no image: the path of one is, or its bytes", found=f"{value!r:.80}")
