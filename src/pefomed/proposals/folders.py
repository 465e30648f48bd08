"""What a file or a folder is, and which loader reads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.datasets import LOADERS
from pefomed.errors import DataError, listed
from pefomed.files.files import read_json
from pefomed.files.shards import has_shards, shards_of, splits_of
from pefomed.files.split_names import in_order, seems_split
from pefomed.files.tables import FORMS, files_of, is_saved, kind_of
from pefomed.proposals.masks import FOLDERS, masks_in
from pefomed.proposals.published import folder_of
from pefomed.proposals.table_sample import read_first
from pefomed.proposals.talks import talk_key

INFO = "dataset_info.json"
"""LlamaFactory's list of data sets; `datasets` writes one of other content beside Arrow files."""
SEEN = 2000
"""Entries of a folder that are looked at."""


@dataclass(frozen=True)
class RecognisedFolder:
    """What was recognised."""

    loader: str
    root: Path
    about: str
    table: Path | None = None
    """The table whose columns say the rest."""
    content: Any = None
    """What was read of it."""
    records: str | None = None
    """Where in a JSON file its rows are."""


def recognised(path: Path) -> RecognisedFolder:
    """Return what `path` is.

    Raises:
        DataError: it is nothing that a loader reads, or its loader is not there.
    """
    looks = _FOLDERS if path.is_dir() else _FILES
    found = next((one for one in (look(path) for look in looks) if one is not None), None)
    if found is None:
        raise DataError(
            f"{path} is nothing that a loader is known for",
            found=_seen(path),
            remedy="give a table, a COCO file, a hub's folder, or a folder of YOLO, VOC or LabelMe files; or"
            " write a loader, see docs/own-data.md",
        )
    if found.loader not in LOADERS:
        raise DataError(
            f"{path}: {found.about}, which no loader reads", remedy="convert it to a table or to COCO"
        )
    return found


def _published(path: Path) -> RecognisedFolder | None:
    found = folder_of(path)
    if found is None:
        return None
    folder, layout = found
    return RecognisedFolder(layout.loader, folder, f"{layout.title}, as it is published", content=layout)


def _coco_file(path: Path) -> RecognisedFolder | None:
    if kind_of(path) != ".json":
        return None
    content = read_json(path)
    return _as_coco(path, content)


def _as_coco(path: Path, content: Any) -> RecognisedFolder | None:
    if not isinstance(content, Mapping) or not isinstance(content.get("annotations"), list):
        return None
    if not isinstance(content.get("images"), list):
        return None
    about = (
        f"a COCO file with {len(content['images']):,} images and {len(content['annotations']):,} annotations"
    )
    return RecognisedFolder("coco", path.parent, about, content=content, table=path)


def _below_a_key(path: Path) -> RecognisedFolder | None:
    """Recognise a JSON file whose rows are a list inside."""
    content = read_json(path) if kind_of(path) == ".json" else None
    if not isinstance(content, Mapping):
        return None
    lists = [
        (key, value)
        for key, value in _inside(content, "", 2)
        if all(isinstance(row, Mapping) for row in value)
    ]
    if not lists:
        return None
    key, rows = max(lists, key=lambda one: len(one[1]))
    return RecognisedFolder(
        "table", path, f"a JSON file with {len(rows):,} rows in `{key}`", path, records=key
    )


def _inside(content: Mapping[str, Any], before: str, deeper: int) -> Iterator[tuple[str, list[Any]]]:
    for key, value in content.items():
        if isinstance(value, list) and value:
            yield f"{before}{key}", value
        elif isinstance(value, Mapping) and deeper:
            yield from _inside(value, f"{before}{key}.", deeper - 1)


def _llama_factory(path: Path) -> RecognisedFolder | None:
    """Recognise LlamaFactory's list of files, or the folder that it lies in: the one file that is there."""
    info = path / INFO if path.is_dir() else path
    content = read_json(info) if info.name == INFO and info.is_file() else None
    entries = content.values() if isinstance(content, Mapping) else ()
    names = [str(one["file_name"]) for one in entries if isinstance(one, Mapping) and one.get("file_name")]
    there = [file for file in _files(info.parent, "") if file.name in names] if names else []
    if len(there) == 1:
        return _conversations(there[0]) or _table(there[0])
    if path.is_dir() or not names:
        return None
    raise DataError(
        f"{path} names {len(names)} files, of which {len(there)} are beside it",
        found=listed(names),
        remedy="name the one that is meant",
    )


def _conversations(path: Path) -> RecognisedFolder | None:
    if kind_of(path) not in (".json", ".jsonl", ".ndjson", ".parquet"):
        return None
    key = next((key for row in read_first(path, 1) if (key := talk_key(row))), None)
    return RecognisedFolder("conversations", path, f"conversations in `{key}`", path, key) if key else None


def _table(path: Path) -> RecognisedFolder | None:
    return RecognisedFolder("table", path, "a table", path) if kind_of(path) in FORMS else None


def _xml(path: Path) -> RecognisedFolder | None:
    return RecognisedFolder("voc", path.parent, "a Pascal VOC file") if _is_voc(path) else None


def _labelme_file(path: Path) -> RecognisedFolder | None:
    return RecognisedFolder("labelme", path.parent, "a LabelMe file") if _is_labelme(path) else None


def _yolo_folder(path: Path) -> RecognisedFolder | None:
    if any((path / name).is_file() for name in ("data.yaml", "data.yml", "dataset.yaml")):
        return RecognisedFolder("yolo", path, "a YOLO folder, with its data.yaml")
    places = [folder / "labels" for folder in (path, *_folders(path))]
    inner = [one for folder in places if folder.is_dir() for one in (folder, *_folders(folder))]
    if any(True for folder in inner for _ in _files(folder, ".txt")):
        return RecognisedFolder("yolo", path, "a YOLO folder: it has a folder `labels`")
    return None


def _voc_folder(path: Path) -> RecognisedFolder | None:
    places = [folder for folder in (path / "Annotations", path, *_folders(path)) if folder.is_dir()]
    for folder in places:
        if any(_is_voc(file) for file in _files(folder, ".xml")):
            return RecognisedFolder(
                "voc", path, f"a folder of Pascal VOC files in {folder.relative_to(path.parent).as_posix()}"
            )
    return None


def _labelme_folder(path: Path) -> RecognisedFolder | None:
    for folder in (path, *_folders(path)):
        if any(_is_labelme(file) for file in list(_files(folder, ".json"))[:3]):
            return RecognisedFolder("labelme", path, "a folder of LabelMe files")
    return None


def _masks_folder(path: Path) -> RecognisedFolder | None:
    inside = _folders(path)
    for folder in inside if len(inside) > 1 else ():
        if FOLDERS.fullmatch(folder.name) and (masks := masks_in(folder)):
            return RecognisedFolder(
                "masks", path, f"a folder of masks in {folder.name}", content=(folder, masks)
            )
    return None


def _saved_folder(path: Path) -> RecognisedFolder | None:
    files = files_of(path) if is_saved(path) else []
    return (
        RecognisedFolder("hugging_face", path, "a folder that `datasets` saved", files[0]) if files else None
    )


def _hub_folder(path: Path) -> RecognisedFolder | None:
    if not has_shards(path):
        return None
    splits = in_order(splits_of(path))
    files = [file for split in splits for file in shards_of(path, split)]
    return (
        RecognisedFolder("hugging_face", path, f"a folder of a hub, splits {listed(splits)}", files[0])
        if files
        else None
    )


def _tables_folder(path: Path) -> RecognisedFolder | None:
    files = [file for file in _files(path, "") if kind_of(file) in FORMS and file.name != INFO]
    named = [file for file in files if seems_split(file.name.split(".")[0])]
    for file in named or files:
        if kind_of(file) == ".json" and (found := _coco_file(file)):
            return found
    if named:
        talk = _conversations(named[0])
        if talk:
            return RecognisedFolder(talk.loader, path, talk.about, named[0], talk.content)
        return RecognisedFolder(
            "table", path, f"a table for each split: {listed([file.name for file in named])}", named[0]
        )
    if len(files) == 1:
        return _conversations(files[0]) or _table(files[0])
    if files:
        raise DataError(
            f"{path} holds several tables", found=listed([f.name for f in files]), remedy="name one of them"
        )
    inner = [
        folder for folder in _folders(path) if folder.name.casefold() in ("annotations", "annotation", "data")
    ]
    return next((found for folder in inner if (found := _tables_folder(folder))), None)


_FILES: tuple[Callable[[Path], RecognisedFolder | None], ...] = (
    _published, _llama_factory, _labelme_file, _coco_file, _xml, _below_a_key, _conversations, _table
)  # fmt: skip
_FOLDERS: tuple[Callable[[Path], RecognisedFolder | None], ...] = (
    _published, _llama_factory, _yolo_folder, _voc_folder, _labelme_folder, _masks_folder, _hub_folder,
    _saved_folder,
    _tables_folder,
)  # fmt: skip


def _is_voc(path: Path) -> bool:
    if path.suffix.lower() != ".xml":
        return False
    with path.open("rb") as file:
        return b"<annotation" in file.read(4096)


def _is_labelme(path: Path) -> bool:
    if path.suffix.lower() != ".json" or path.stat().st_size > _LARGEST:
        return False
    try:
        content = read_json(path)
    except DataError:  # some other file
        return False
    return isinstance(content, Mapping) and isinstance(content.get("shapes"), list)


def _files(folder: Path, ending: str) -> Iterator[Path]:
    yield from (one for one in _entries(folder) if one.name.lower().endswith(ending) and one.is_file())


def _folders(folder: Path) -> list[Path]:
    return [one for one in _entries(folder) if one.is_dir()][:20]


def _entries(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = sorted(
            one.name for _, one in zip(range(SEEN), entries, strict=False) if not one.name.startswith(".")
        )
    return [folder / name for name in names]


def _seen(path: Path) -> str:
    if path.is_file():
        return f"the ending {path.suffix!r}"
    names = [one.name for one in _entries(path)]
    return listed(names, most=8) if names else "an empty folder"


_LARGEST = 200_000_000  # bytes; a picture may be inside
