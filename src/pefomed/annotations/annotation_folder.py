"""A folder with an annotation file for each image: which files are a split's, and the images they are of.

The splits are lists of names in `ImageSets/Main` (`train.txt`, `val.txt`, `test.txt`), or folders; the
images lie in `JPEGImages` or `images`, or beside the annotations.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pefomed.annotations.split_folders import WHOLE, SplitFolder, files_in, of_split, parts_of, picture_called
from pefomed.errors import DataError, listed
from pefomed.files.files import inside, read_text
from pefomed.files.split_names import SYNONYMS, known_split, meant
from pefomed.mapping.images import ImageColumns, relative_in
from pefomed.mapping.skip import Unusable

LAYOUTS = (
    "Annotations/{split}", "annotations/{split}", "{split}/Annotations", "{split}/annotations", "{split}",
    "Annotations", "annotations", ".",
)  # fmt: skip
LISTS = "ImageSets/Main"
_IMAGES = ("JPEGImages", "images", "Images")


def annotation_files(
    root: Path, annotations: str | None, split: str, ending: str
) -> Iterator[tuple[SplitFolder, Path]]:
    """Yield the annotation files of a split, each with the part it is in.

    Args:
        annotations: pattern of their folders, if they are elsewhere.
        ending: of their names.

    Raises:
        DataError: there are none, or a list names one that is not there.
    """
    parts = annotation_parts(root, annotations, ending)
    lists = _lists_of(root, parts, split)
    if not lists:
        for part in of_split(parts, split, str(root)):
            yield from ((part, path) for path in files_in(part.folder, (ending,)))
    for names in lists:
        for number, line in enumerate(read_text(names).splitlines(), 1):
            cells = line.split()
            if not cells or cells[1:2] == ["-1"]:  # a list of one class says which images are without it
                continue
            place = f"{names}, line {number}"
            path = inside(parts[0].folder, cells[0] + ending, place)
            if not path.is_file():
                raise DataError(f"{place}: no annotation {path}", remedy="add it, or remove the line")
            yield parts[0], path


def annotation_parts(root: Path, annotations: str | None, ending: str) -> list[SplitFolder]:
    """Return the folders with annotation files.

    Raises:
        DataError: there are none.
    """
    patterns = (annotations,) if annotations else LAYOUTS
    parts = parts_of(root, patterns, lambda folder: bool(files_in(folder, (ending,))))
    if not parts:
        there = listed([each.name for each in sorted(root.iterdir())]) if root.is_dir() else "no folder"
        raise DataError(
            f"{root} has no annotations: no file ends in {ending}",
            found=there,
            remedy="check the root, or name their folder in `annotations`",
        )
    return parts


def split_lists(root: Path, parts: Sequence[SplitFolder]) -> dict[str, Path]:
    """Return the lists of splits, name -> file; none where folders say the splits.

    `trainval` is one of them if it does not hold others; lists of one class are none.
    """
    folders = {part.split for part in parts} != {WHOLE}
    found = {} if folders else {path.stem: path for path in sorted((root / LISTS).glob("*.txt"))}
    known = {name: path for name, path in found.items() if known_split(name) in SYNONYMS}
    both = "trainval" in found and not {known_split(name) for name in known} & {"train", "validate"}
    return known | ({"trainval": found["trainval"]} if both else {})


def picture_of(root: Path, part: SplitFolder, file: Path, name: str, images: str | None) -> Path | None:
    """Return the image that an annotation file calls `name`, its ending left out or not; None for none.

    Args:
        images: pattern of the folders of images, if they are elsewhere.

    Raises:
        DataError: the name is a URL or a path of Windows, or leads out of the folders.
    """
    own = file.parent.relative_to(part.folder)
    looked = [
        inner for folder in _image_folders(root, part, file, images) for inner in (folder / own, folder)
    ]
    if os.path.isabs(name):  # as a path in one of the folders, or none of this data set's
        named = [(folder, relative_in(folder, name)) for folder in (*looked, root)]
        inner_names = [(folder, inner) for folder, inner in named if inner != name]
        if inner_names:
            return next((found for each in inner_names if (found := picture_called(*each))), None)
    plain = ImageColumns(root).own_name(name, str(file))
    return next((found for folder in looked if (found := picture_called(folder, plain))), None)


def no_picture(root: Path, part: SplitFolder, file: Path, name: str, images: str | None) -> Unusable:
    """Return the error for an image that `picture_of` does not find."""
    folders = [str(folder) for folder in _image_folders(root, part, file, images)]
    return Unusable(
        f"{file}: no image {name!r}",
        "missing image",
        "add the image, name the folder of the images in `images`",
        found=f"looked in {listed(list(dict.fromkeys(folders)), most=4)}",
    )


def _image_folders(root: Path, part: SplitFolder, file: Path, images: str | None) -> list[Path]:
    if images:
        return [root / images.replace("{split}", part.split)]
    beside = [part.folder.parent / name for name in _IMAGES]
    of_splits = [root / name / part.split for name in _IMAGES]
    return [file.parent, *beside, *of_splits, *(root / name for name in _IMAGES), root]


def _lists_of(root: Path, parts: Sequence[SplitFolder], split: str) -> list[Path]:
    """Return the lists of a split; none where there are no lists at all."""
    lists = split_lists(root, parts)
    own = root / LISTS / f"{split}.txt"
    if not lists or meant(split, lists):
        return [lists[name] for name in meant(split, lists)]
    if own.parent == root / LISTS and own.is_file():
        return [own]
    raise DataError(f"{root} has no split {split!r}", found=listed([repr(name) for name in lists]))
