"""Which files are tables, and of which form: by their ending, and where that says little by their beginning.

A table may also be a folder that `save_to_disk` of `datasets` wrote.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, listed, nearest
from pefomed.files.files import inside, read_text, wide_encoding
from pefomed.files.format import CELLS, COLUMNAR, LINES, OBJECTS, TAR, WORKBOOK
from pefomed.files.packed import PACKED, inner_name, open_unpacked
from pefomed.files.split_names import meant, seems_split

FORMS = {
    ".csv": CELLS, ".tsv": CELLS, ".tab": CELLS, ".psv": CELLS, ".txt": CELLS, ".text": CELLS, ".dat": CELLS,
    ".lst": CELLS, ".jsonl": LINES, ".ndjson": LINES, ".json": OBJECTS, ".parquet": COLUMNAR, ".pq": COLUMNAR,
    ".arrow": COLUMNAR, ".feather": COLUMNAR, ".ipc": COLUMNAR, ".xlsx": WORKBOOK, ".xlsm": WORKBOOK,
    ".tar": TAR, ".tgz": TAR,
}  # fmt: skip
"""Known endings, and the form of such a table."""

_ANY_TEXT = (".txt", ".text", ".dat", ".lst")
_LOOSE = (*_ANY_TEXT, ".tar", ".tgz")  # in a folder they are tables only where nothing else is
_TEXTS = (CELLS, LINES, OBJECTS)


def form_of(path: Path) -> str:
    """Return the form of a table.

    Raises:
        DataError: it is none, or missing.
    """
    if is_saved(path):
        return COLUMNAR
    kind = kind_of(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a table", remedy=_of_folder(path))
    form = FORMS.get(kind)
    if form is None:
        raise DataError(
            f"{path} is no table that can be read",
            found=f"the ending {path.suffix!r}",
            remedy=f"save it as CSV, XLSX, JSON Lines or Parquet; {nearest(path.suffix, FORMS)}",
        )
    if path.suffix.lower() in PACKED and form not in (*_TEXTS, TAR):
        raise DataError(f"{path} is packed: of tables only texts are read so", remedy="unpack it first")
    return _by_letter(path) if kind in _ANY_TEXT else form


def kind_of(path: Path) -> str:
    """Return the ending that says how a table is read: `.csv` of `a.csv` and of `a.csv.gz`."""
    return Path(inner_name(path)).suffix.lower()


def stem_of(path: Path) -> str:
    """Return a table's name without its ending: `train` of `train.csv.gz`."""
    stem = Path(path.stem).stem if path.suffix.lower() in PACKED else path.stem
    shards = _SHARDS.search(stem)
    return stem[: shards.start()].rstrip("-_.") if shards else stem


def is_table(path: Path) -> bool:
    """Return whether something is there that may be one table: a file, or what `datasets` saved."""
    return (
        path.is_file() or is_saved(path) or (bool(_SHARDS.search(path.name)) and files_of(path)[0].is_file())
    )


def tables_in(folder: Path) -> list[Path]:
    """Return the tables of a folder, by name; hidden files are none.

    Texts of any kind (`.txt`) are tables only in a folder that has no others: they may be lists and notes.
    """
    found = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith((".", "~$"))
        and path.name not in _ABOUT
        and (is_saved(path) or (path.is_file() and kind_of(path) in FORMS))
    ]
    return [path for path in found if is_saved(path) or kind_of(path) not in _LOOSE] or _whole(found)


def files_of(path: Path) -> list[Path]:
    """Return the files that a table is made of: of what `datasets` saved, those that it lists.

    Raises:
        DataError: the list is damaged, or names a file elsewhere.
    """
    if (shards := _SHARDS.search(path.name)) and not path.exists():
        first, last = int(shards[1]), int(shards[2])
        if not first <= last < first + _MOST_SHARDS:
            raise DataError(f"{path}: expected numbers as in {{000000..000012}}", found=shards[0])
        numbers = [f"{number:0{len(shards[1])}}" for number in range(first, last + 1)]
        return [path.with_name(path.name.replace(shards[0], each, 1)) for each in numbers]
    if not is_saved(path):
        return [path]
    listed_files = _state(path)["_data_files"]
    place = f"{path / 'state.json'}"
    names = [each.get("filename") if isinstance(each, dict) else None for each in listed_files]
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"{place}: a file without a name", remedy="save the data set again")
    return [inside(path, str(name), place) for name in names]


def is_saved(path: Path) -> bool:
    """Return whether a folder is one `Dataset` as its `save_to_disk` writes it."""
    return (path / "dataset_info.json").is_file() and isinstance(_state(path).get("_data_files"), list)


def said_split(path: Path) -> str | None:
    """Return the split that a saved `Dataset` says it is; None if it says none."""
    said = _state(path).get("_split") if is_saved(path) else None
    return said if isinstance(said, str) and re.fullmatch(r"\w+", said) and seems_split(said) else None


def table_of(path: Path, split: str) -> Path:
    """Return the table that is meant by the folder of a saved `DatasetDict`: that of its split; else `path`.

    Raises:
        DataError: it has no such split.
    """
    if not (path / "dataset_dict.json").is_file():
        return path
    names = [each.name for each in tables_in(path)]
    found = meant(split, names)
    if len(found) != 1:
        raise DataError(f"{path} has no split {split!r}", found=listed(names), remedy=nearest(split, names))
    return path / found[0]


_SHARDS = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_MOST_SHARDS = 100_000


def _whole(paths: list[Path]) -> list[Path]:
    """Return tar archives that are numbered as one: `a-{000..012}.tar`; one that is missing is missed."""
    found: dict[Path, list[str]] = {}
    for path in paths:
        match = re.fullmatch(r"(.+?)(\d{3,9})(\.tar(?:\.\w+)?|\.tgz)", path.name)
        if match:
            found.setdefault(path.with_name(f"{match[1]}{{}}{match[3]}"), []).append(match[2])
        else:
            found[path] = []
    return [
        path.with_name(path.name.replace("{}", f"{{{numbers[0]}..{numbers[-1]}}}")) if numbers else path
        for path, numbers in found.items()
    ]


_STATE_LIMIT = 2**24  # bytes; a name for each of the files
_ABOUT = ("dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json")


def _state(path: Path) -> dict[str, Any]:
    file = path / "state.json"
    try:
        found = json.loads(read_text(file)) if file.is_file() and file.stat().st_size < _STATE_LIMIT else {}
    except (DataError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_folder(path: Path) -> str:
    names = [each.name for each in tables_in(path)]
    if (path / "dataset_dict.json").is_file():
        return f"give one of its splits: {listed(names)}"
    return f"give one of its tables: {listed(names)}" if names else "give the path of the file"


def _by_letter(path: Path) -> str:
    """Return the form of a text by what it begins with."""
    with open_unpacked(path) as file:
        start = file.read(4096)
    # Of any other encoding the first letters are those of ASCII.
    text = start.decode(wide_encoding(start[:4]) or "utf-8-sig", errors="replace").lstrip("\ufeff \t\r\n")
    return {"[": OBJECTS, "{": LINES}.get(text[:1], CELLS)
