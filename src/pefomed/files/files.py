"""Data-set files read with errors that name the file and the place in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, json_kind, nearest


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, or of a UTF-16 or UTF-32 one, without a byte-order mark.

    Raises:
        DataError: the file is missing or not UTF-8; the first wrong byte is named.
    """
    try:
        read = path.read_bytes()
        wide = wide_encoding(read[:4])
        if wide:
            return _decoded(path, read, wide)
        return read.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise not_utf8(path, error.object[error.start], error.start, line) from None


def wide_encoding(start: bytes) -> str:
    """Return the UTF-16 or UTF-32 that the first four bytes of a text say, empty for any other encoding."""
    if start in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(start) == 4 and [byte == 0 for byte in start] in ([False, True] * 2, [True, False] * 2):
        return "utf-16-be" if start[0] == 0 else "utf-16-le"  # no mark, but Latin letters
    return ""


def read_json(path: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        DataError: the file is missing, not UTF-8 or not JSON.
    """
    text = read_text(path)
    try:
        return json_value(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not JSON",
            found=f"{error.msg} at line {error.lineno}, column {error.colno}",
            remedy=json_remedy(error) or "download the file again",
        ) from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{path} is not JSON that can be read", found=str(error)) from None


def json_remedy(error: json.JSONDecodeError) -> str | None:
    """Return how what is usually wrong in JSON that was written by hand is mended; None for anything else."""
    before, behind = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
    if error.msg.startswith("Extra data") and behind.startswith(","):
        return (
            "remove the comma behind the object, or make the whole file one list: `[` before, `]` behind it"
        )
    if behind[:1] in ("]", "}") and before.endswith(","):
        return f"remove the comma before `{behind[0]}`: JSON allows none there"
    if error.msg.startswith("Illegal trailing comma"):  # so Python says it from 3.13 on
        return "remove the comma before the bracket: JSON allows none there"
    if behind.startswith("'"):
        return "put texts and names into double quotes"
    if behind.startswith(("True", "False", "None")):
        return "write `true`, `false` and `null`, as JSON has them"
    return None


def json_value(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError, RecursionError: it is none, holds half of a surrogate pair, which no file can hold, or
            says a key of an object twice.
    """
    value = JSON.decode(text)
    check_surrogates(value, text)
    return value


def check_surrogates(value: Any, text: str) -> None:
    """Check that the value of a JSON text holds no half of a surrogate pair.

    Raises:
        ValueError: it does.
    """
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice in one object")
    return found


JSON = json.JSONDecoder(object_pairs_hook=_each_once)
"""Reads JSON whose objects have no key twice."""


def _decoded(path: Path, read: bytes, encoding: str) -> str:
    try:
        return read.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise not_wide(path, encoding, error) from None


def not_wide(path: Path, encoding: str, error: UnicodeDecodeError) -> DataError:
    """Return the error for a file that is not the UTF-16 or UTF-32 it begins as."""
    return DataError(
        f"{path} begins as {encoding.upper()} and is not",
        found=f"{error.reason} at byte {error.start}",
        remedy="save it again as UTF-8",
    )


def read_rows(path: Path, required: Iterable[str]) -> list[dict[str, Any]]:
    """Return the objects of a JSON list, each of which has the keys `required`.

    Raises:
        DataError: the file is missing, not UTF-8, not a JSON list of objects, or a key is absent.
    """
    return checked_rows(read_json(path), required, f"{path}")


def checked_rows(rows: Any, required: Iterable[str], where: str) -> list[dict[str, Any]]:
    """Return `rows` if it is a list of objects that have the keys `required`; `where` names it in errors.

    Raises:
        DataError: it is none, or a key is absent.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{where}: expected a list of objects", found=json_kind(rows))
    names = list(required)
    for number, row in enumerate(rows, 1):
        check_fields(f"{where}, entry {number}", row, names)
    return rows


def check_fields(place: str, row: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Check that a record has every one of `fields`.

    Raises:
        DataError: one is absent; `place` names the record.
    """
    for field in fields:
        if field not in row:
            raise missing_field(place, field, row)


def inside(folder: Path, name: str, place: str, remedy: str = "correct the record") -> Path:
    """Return the file called `name` in `folder`, which a data set's own record names.

    The name alone is looked at: a symbolic link in the folder was put there by whoever keeps the data
    (an archive that holds one is refused), e.g. to images on another disk, and is followed.

    Raises:
        DataError: the name is empty, absolute, or leads out of the folder.
    """
    check_inside(folder, name, place, remedy)
    return folder / name


def check_inside(folder: Path, name: str, place: str, remedy: str = "correct the record") -> None:
    """Check the name that `inside` would take, without making a path of it.

    Raises:
        DataError: see `inside`.
    """
    text = name.replace("\\", "/")  # a backslash is a separator to Windows
    parts = [part for part in text.split("/") if part not in ("", ".")]
    drive = ":" in parts[0] if parts else True
    if drive or text.startswith("/") or ".." in parts or not name.strip() or "\0" in name:
        raise DataError(f"{place}: a file name must stay inside {folder}", found=repr(name), remedy=remedy)


def unknown_split(dataset: str, split: str, known: Iterable[str], remedy: str | None = None) -> DataError:
    """Return the error for a split that `dataset` does not have."""
    return DataError(f"{dataset} has no split {split!r}", remedy=remedy or nearest(split, known))


def missing_file(path: Path, error: OSError) -> DataError:
    """Return the error for a file that is absent, or is a folder."""
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path} is a folder, not a file", remedy="give the path of the file")
    return DataError(
        f"no file at {path}", remedy="check the data folder (--data or PEFOMED_DATA) and the root"
    )


def missing_field(place: str, key: str, row: Iterable[Any]) -> DataError:
    """Return the error for a record without the field `key`."""
    return DataError(f"{place}: no field {key!r}", remedy=nearest(key, (str(name) for name in row)))


def missing_layout(dataset: str, root: Path, layouts: Iterable[str], loader: str) -> DataError:
    """Return the error for a root in which none of a data set's published layouts is found."""
    there = sorted(path.name for path in root.iterdir())[:8] if root.is_dir() else []
    return DataError(
        f"{dataset} is not at {root}: expected {' or '.join(layouts)}",
        found=", ".join(there) or ("an empty folder" if root.is_dir() else "no such folder"),
        remedy=f"check the data folder (--data or PEFOMED_DATA) and the root; `pefomed data list {loader}`"
        " says where it comes from and what to put where",
    )


def not_utf8(path: Path, byte: int, offset: int, line: int) -> DataError:
    """Return the error for a text file whose encoding is another one."""
    return DataError(
        f"{path} is not UTF-8",
        found=f"byte 0x{byte:02x} at offset {offset}, line {line}",
        remedy="say its `encoding` if it is a table of your own, e.g. cp1252 for a CSV of Excel in Western"
        f" Europe and America; or convert it: `iconv -f WINDOWS-1252 -t UTF-8 {path.name} > new`",
    )
