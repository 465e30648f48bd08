"""A YOLO data set's folder: its classes' names, where the images of a split lie, and their label files.

`data.yaml` says `names` (a list, or an object of numbers), `path`, and `train`, `val`, `test`: folders of
images, or `.txt` files that list them. Paths are taken as Ultralytics' programs take them, but never lead
out of the folder. Without it the folders themselves say the splits, and `classes.txt` or `obj.names` the
names. The labels of `images/train/0.png` are in `labels/train/0.txt`, or beside the image where no folder
is called `images`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.annotations.split_folders import SplitFolder, has_pictures, parts_of, pictures_in, stem_of
from pefomed.errors import DataError, json_kind, listed
from pefomed.files.files import read_text
from pefomed.files.safe_yaml import read_yaml
from pefomed.mapping.images import ImageColumns, relative_in

LAYOUTS = ("images/{split}", "{split}/images", "{split}", "images", ".")
NAMES = ("classes.txt", "obj.names", "classes.names", "labels.txt", "_darknet.labels")
SPLITS = ("train", "val", "test", "minival", "valid", "validation")


@dataclass(frozen=True)
class YoloFolder:
    """What is known of a data set before its labels are read."""

    root: Path
    names: Mapping[int, str]
    """Class number -> name."""
    behind: int
    """How many numbers of keypoints stand behind each box."""
    parts: tuple[SplitFolder, ...]
    """Folders of images, or `.txt` files that list them."""


def read_folder(root: Path, names: tuple[str, ...], images: str | None) -> YoloFolder:
    """Return what is known of the data set in `root`, a folder or its YAML file.

    Args:
        names: of the classes, if no file shall say them.
        images: the pattern of the folders of images, if they are elsewhere.

    Raises:
        DataError: there are no images, the classes have no names, or the YAML file is not as it should be.
    """
    root = Path(os.path.normpath(root))
    path = root if root.is_file() else _yaml_of(root)
    folder = root.parent if root.is_file() else root
    said = read_yaml(path) if path else {}
    if not isinstance(said, dict):
        raise DataError(f"{path} is no YOLO data set: expected `names: ...`", found=json_kind(said))
    parts: tuple[SplitFolder, ...] = ()
    if images is None and path is not None:
        parts = tuple(_said_parts(said, folder, path))
        if parts and (fault := parts[0].fault) and all(part.fault for part in parts):
            raise fault
    parts = parts or tuple(parts_of(folder, (images,) if images else LAYOUTS, has_pictures))
    if not parts:
        raise DataError(
            f"{folder} is no YOLO data set: no images",
            found=listed([each.name for each in sorted(folder.iterdir())])
            if folder.is_dir()
            else "no folder",
            remedy="put them into `images/train` ..., name them in data.yaml, or set the option `images`",
        )
    known = dict(enumerate(names)) or (_names(said, path) if path else {})
    there = [part.folder for part in parts if part.fault is None]
    known = known or _listed_names([folder, folder / "labels", *there])
    return YoloFolder(folder, known, _keypoints(said, path), parts)


def images_of(part: SplitFolder, root: Path) -> list[tuple[str, Path]]:
    """Return the images of a part in order, each with its name for ids, which no folder above changes.

    Raises:
        DataError: a list names an image that lies outside of `root`.
    """
    if part.folder.suffix.lower() != ".txt":
        return [(path.relative_to(part.folder).as_posix(), path) for path in pictures_in(part.folder)]
    found = []
    for number, line in enumerate(read_text(part.folder).splitlines(), 1):
        if line.strip():
            path = _within(root, (part.folder.parent, root), line.strip(), f"{part.folder}, line {number}")
            found.append((path.relative_to(root).as_posix(), path))
    return found


def labels_of(image: Path, part: SplitFolder, root: Path, labels: str | None) -> Path:
    """Return the label file of an image, whether it is there or not.

    Args:
        labels: the pattern of the folders of labels, if they are elsewhere.
    """
    folder = labels_folder(part, root, labels)
    if folder is not None and image.is_relative_to(part.folder):
        return (folder / image.relative_to(part.folder)).parent / f"{stem_of(image)}.txt"
    return _beside(image.parent, root) / f"{stem_of(image)}.txt"


def labels_folder(part: SplitFolder, root: Path, labels: str | None) -> Path | None:
    """Return the folder with the labels of a folder of images; None for a list of images."""
    if part.folder.suffix.lower() == ".txt":
        return None
    if labels is not None:
        return root / labels.replace("{split}", part.split)
    beside = _beside(part.folder, root)
    own = [root / "labels" / part.split, root / "labels"]
    if beside != part.folder and beside.is_dir():
        return beside
    return next((each for each in own if each.is_dir()), beside)


def _beside(folder: Path, root: Path) -> Path:
    """Return a folder of images with the last `images` of its path as `labels`; what is above counts not."""
    parts = list(folder.parts)
    first = len(root.parts) if folder.is_relative_to(root) else len(parts) - 2
    for place in reversed(range(first, len(parts))):
        if parts[place] == "images":
            return Path(*parts[:place], "labels", *parts[place + 1 :])
    return folder


def _yaml_of(folder: Path) -> Path | None:
    found = [folder / name for name in ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")]
    there = [path for path in found if path.is_file()]
    others = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))) if folder.is_dir() else []
    if not there and len(others) > 1:
        raise DataError(
            f"{folder} has several YAML files",
            found=listed([path.name for path in others]),
            remedy="give the one of the data set as the root",
        )
    return next(iter((*there, *others)), None)


def _names(said: Mapping[str, Any], path: Path) -> dict[int, str]:
    names = said.get("names")
    if isinstance(names, list) and all(isinstance(name, str) and name.strip() for name in names):
        return dict(enumerate(name.strip() for name in names))
    if isinstance(names, dict) and all(
        _is_class(key) and isinstance(name, str) for key, name in names.items()
    ):
        return {int(key): name.strip() for key, name in names.items() if name.strip()}
    if names in (None, ""):
        return {}
    raise DataError(f"{path}: `names` is a list of names, or of numbers and names", found=f"{names!r:.80}")


def _listed_names(folders: list[Path]) -> dict[int, str]:
    files = (folder / name for folder in folders for name in NAMES)
    file = next((file for file in files if file.is_file()), None)
    lines = read_text(file).splitlines() if file else []
    return {number: line.strip() for number, line in enumerate(lines) if line.strip()}


def _keypoints(said: Mapping[str, Any], path: Path | None) -> int:
    shape = said.get("kpt_shape")
    if not shape:
        return 0
    if not isinstance(shape, list) or len(shape) != 2 or not all(_is_class(side) for side in shape):
        raise DataError(f"{path}: `kpt_shape` is two numbers", found=f"{shape!r:.80}")
    return int(shape[0]) * int(shape[1])


def _is_class(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text) is not None


def _said_parts(said: Mapping[str, Any], root: Path, path: Path) -> Iterator[SplitFolder]:
    base = os.path.normpath(root / str(said.get("path") or "."))
    above = Path(base) if _is_in(base, root) and os.path.isdir(base) else root  # else it is another machine's
    for split in SPLITS:
        named = said.get(split)
        for each in named if isinstance(named, list) else [named]:
            if isinstance(each, str) and each.strip():
                try:
                    yield SplitFolder(split, _within(root, (above, root), each.strip(), f"{path}, {split!r}"))
                except DataError as error:  # the other splits can be read
                    yield SplitFolder(split, root / split, error)


def _within(root: Path, bases: tuple[Path, ...], name: str, place: str) -> Path:
    """Return the file or folder of that name; one that leads upwards is looked for from each base, too."""
    ImageColumns(root).check_no_url(name, place)
    text = name.replace("\\", "/")
    own = relative_in(root, text)
    text = str(root / own) if own != text else text
    inner = re.sub(r"^(?:\.\.?/)+", "", text)
    for way in (*(base / text for base in bases), *(base / inner for base in bases)):
        plain = os.path.normpath(way)
        if _is_in(plain, root) and "\0" not in plain and os.path.exists(plain):
            return Path(plain)
    raise DataError(
        f"{place}: no such file or folder in {root}",
        found=repr(name),
        remedy="give a path relative to the folder of the data set; nothing outside of it is read",
    )


def _is_in(path: str, root: Path) -> bool:
    return Path(path).is_relative_to(os.path.normpath(root))
