"""Rows of a WebDataset: a tar archive whose members of one name are a row (webdataset.github.io/webdataset).

    a/0001.jpg  a/0001.json  a/0001.txt      ->  __key__ = "a/0001", image, json = {...}, txt = "..."

A picture is called `image`, several of a row by their endings (`left.jpg`); it is written to the cache.
Nothing is unpacked under its own name or unpickled: members of other endings are named and left out.
"""

from __future__ import annotations

import functools
import itertools
import json
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.errors import DataError
from pefomed.files.files import json_value, missing_file
from pefomed.files.lines import LINE_LIMIT
from pefomed.files.unpacked import IMAGE_LIMIT, KeptMembers
from pefomed.progress import note

PICTURES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "dcm")
_TEXTS = ("txt", "text", "caption", "transcript", "question", "answer", "id", "split")
_NUMBERS = ("cls", "cls2", "index")
_FAULTS = (tarfile.TarError, EOFError, OSError, OverflowError, ValueError, zlib.error, lzma.LZMAError)


def read_tar(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for the members of each name, place as in `train-000000.tar, a/0001`.

    Raises:
        DataError: the file is missing or damaged, a member is too large or none that its ending says, or
            the members of a name do not stand together.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            yield from _rows(path, archive)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except _FAULTS as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is no tar archive that can be read", found=str(error)[:200], remedy="download it again"
        ) from None


def _rows(path: Path, archive: tarfile.TarFile) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: set[int] = set()
    others: dict[str, None] = {}
    kept = KeptMembers(path)
    files = (member for member in _members(archive) if member.isfile() and not _hidden(member.name))
    for key, members in itertools.groupby(files, lambda member: _parts(member.name)[0]):
        place = f"{path}, {key}"
        if hash(key) in seen:
            raise DataError(
                f"{place}: the members of a name must stand together",
                remedy="pack them again: `tar --sort=name`",
            )
        seen.add(hash(key))
        row: dict[str, Any] = {"__key__": key}
        pictures: dict[str, Any] = {}
        for member in members:
            ending = _parts(member.name)[1]
            kind = ending.rsplit(".", 1)[-1]
            if ending in row or ending in pictures:
                raise DataError(
                    f"{place}: two members with the ending {ending!r}", remedy="rename one of them"
                )
            if kind in PICTURES:
                content = functools.partial(_content, archive, member, place, IMAGE_LIMIT)
                pictures[ending] = kept.image(member.name, content, place)
            elif kind in ("json", *_TEXTS, *_NUMBERS):
                row[ending] = _value(_content(archive, member, place, LINE_LIMIT), kind, f"{place}.{ending}")
            else:
                others[kind] = None
        if len(pictures) == 1:
            pictures = {"image": next(iter(pictures.values()))}
        yield place, row | pictures
    kept.read_to_end()
    if others:
        note(f"{path.name}: members with these endings are not read: {', '.join(others)}")


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
        yield member


def _parts(name: str) -> tuple[str, str]:
    """Return the key and the ending, from the first dot of the last part of the name."""
    folder, slash, file = name.removeprefix("./").rpartition("/")
    stem, _, ending = file.partition(".")
    return f"{folder}{slash}{stem}", ending.lower()


def _hidden(name: str) -> bool:
    file = name.rsplit("/", 1)[-1]
    return file.startswith((".", "__"))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, place: str, limit: int) -> bytes:
    if member.size > limit:
        raise DataError(
            f"{place}: a member is too large: at most {limit:,} bytes are read", found=f"{member.size:,}"
        )
    file = archive.extractfile(member)
    content = file.read() if file else b""
    if len(content) != member.size:
        raise EOFError(f"{member.name} ends too early")
    return content


def _value(content: bytes, kind: str, place: str) -> Any:
    try:
        text = content.decode("utf-8-sig")
        if kind == "json":
            return json_value(text)
        return int(text) if kind in _NUMBERS else text.strip()
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON", found=f"{error.msg} at line {error.lineno}") from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{place}: not what its ending says", found=str(error)) from None
