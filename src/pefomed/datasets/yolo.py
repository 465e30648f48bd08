"""Boxes from a YOLO folder: a text file beside each image, or beside its folder, a line a box.

Link, licence, counts: the owner's. Layout: `data.yaml` with `names` and the folders of the splits; or
`images/{split}` and `labels/{split}`, `{split}/images` and `{split}/labels`, `images` and `labels`, or each
label file beside its image; see `yolo_folder`::

    [data.mine]
    loader = "yolo"
    root = "mine"

One line of a label file, class, centre, width and height as fractions of the image::

    0 0.3 0.3 0.4 0.4

A line with more numbers is a polygon, and the box that around it; keypoints are not read. The phrase is the
class's name. An image whose label file is empty or missing has no box, and is counted. Oriented boxes are
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.box_numbers import Fault, Form, Unit
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import BARE, Making, Skip, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.sample_outlines import counted_on, of_polygons
from pefomed.annotations.split_folders import SplitFolder, files_in, of_split
from pefomed.annotations.yolo_folder import (
    NAMES,
    YoloFolder,
    images_of,
    labels_folder,
    labels_of,
    read_folder,
)
from pefomed.annotations.yolo_labels import YoloLine, read_labels
from pefomed.datasets.card import DataCard
from pefomed.datasets.reader_folders import reader_folders, reader_option
from pefomed.errors import DataError, listed
from pefomed.mapping.skip import NOTHING, Unusable
from pefomed.progress import note
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Outline, Sample

CARD = DataCard(
    title="A YOLO folder of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("data.yaml, images/train ..., labels/train ...",),
)


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    images: str | None = None,
    labels: str | None = None,
    names: tuple[str, ...] = (),
    form: Form = "cxcywh",
    unit: Unit = "relative",
    oriented: Literal["refuse", "bounds"] = "refuse",
    reader: str | None = None,
    readers: Choice | None = None,
    fusion_iou: float = FUSION_IOU,
    without: Undrawn = "left out",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and class of `split`, and what images have no box.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        images: folder of the images, relative to `root` or absolute; `{split}` stands for the split.
        labels: folder of the label files, likewise.
        names: of the classes in order, if no file says them.
        form: of a line with four numbers; `cxcywh` is YOLO's.
        unit: `relative` is YOLO's.
        oriented: whether lines with four corners are refused where all polygons have four and some are
            tilted, as those of oriented boxes; `bounds` takes the upright box around them.
        reader: `""` if what the folders of `{reader}` in `labels` hold is one answer.
        readers: of `{reader}` in `labels`: `apart` (a sample for each) or `fused` (the boxes of all as one
            answer); without either an error.
        fusion_iou: boxes of several readers that overlap by more are one.
        without: classes without a box: `left out`, or samples whose answer is that there is no box, in
            the `images` without a line, or all `categories` that an image lacks.
        skip: which records are left out and counted: `"no box"`, `"wrong box"`, `"missing image"`,
            `"empty question"` (no phrase), or a value of a field, `{ column = "iscrowd", is = 1 }`.

    Raises:
        DataError: a file is missing, or a line is not as it should be; the file and the line are named.
    """
    folder = read_folder(root, names, images)
    parts = of_split(folder.parts, split, str(root))
    drawn_by = reader_option(reader, labels, readers, "labels")
    everyone = reader_folders(folder.root, labels, "labels")
    found = [
        (each.reader, name, path, labels_of(path, part, folder.root, each.pattern))
        for part in parts
        for name, path in images_of(part, folder.root)
        for each in everyone
    ]
    used = {file for *_, file in found}
    alone = [file for each in everyone for file in _without_image(folder, parts, each.pattern, used)]
    if alone and "missing image" not in skip:
        raise _unpaired(alone)
    yield from (LeftOut(str(file), "missing image") for file in alone)
    drawn = [(own, name, path, _labels(file, folder)) for own, name, path, file in found]
    lined = {path for _, _, path, lines in drawn if lines}
    if without == "left out":
        bare = [(path, file) for _, _, path, file in found if path not in lined]
        # Of several readers one that wrote an empty file is enough.
        files = dict(sorted(bare, key=lambda each: (each[0], each[1].is_file())) if everyone[1:] else bare)
        for path, file in files.items():
            there = file.is_file()
            yield LeftOut(
                str(path), BARE if there else "an image without a label file", "" if there else f"no {file}"
            )
    if folder.behind:
        note(f"{folder.root.name}: keypoints are not read")
    if oriented == "refuse":
        _check_upright([line for *_, lines in drawn for line in lines])
    making = Making(tasks, boxes, form, unit, False, drawn_by, readers, fusion_iou, without, skip)
    # Where all have four corners they may be oriented boxes, which outline nothing.
    outlined = any(line.corners not in (0, 4) for *_, lines in drawn for line in lines)
    rows = (
        replace(_row(name, path, line, outlined), reader=own)
        for own, name, path, lines in drawn
        for line in lines
    )
    asked = {
        path: _image(name, path)
        for _, name, path, _ in drawn
        if without == "categories" or (without == "images" and path not in lined)
    }.values()
    yield from box_samples(rows, f"{folder.root.name}-{split}", making, asked, folder.names.values())


def splits(
    root: Path, *, images: str | None = None, names: tuple[str, ...] = (), **_: Any
) -> dict[str, int | None]:
    """Return the splits as data.yaml or the folders call them; one whose folder is not there is named.

    Raises:
        DataError: see `load`.
    """
    parts = read_folder(root, names, images).parts
    absent = {part.split: part.fault for part in parts if part.fault}
    for split, fault in absent.items():
        note(f"the split {split!r} cannot be read: {_why(fault)}")
    return dict.fromkeys(part.split for part in parts if part.split not in absent)


def absent_splits(
    root: Path, *, images: str | None = None, names: tuple[str, ...] = (), **_: Any
) -> dict[str, str]:
    """Return the splits that data.yaml names and whose folder is not there, each with the reason.

    Raises:
        DataError: see `load`.
    """
    parts = read_folder(root, names, images).parts
    return {part.split: _why(part.fault) for part in parts if part.fault}


def _why(fault: DataError) -> str:
    return f"{fault.problem} (found {fault.found})"


def _labels(file: Path, folder: YoloFolder) -> list[YoloLine]:
    return list(read_labels(file, folder.names, folder.behind)) if file.is_file() else []


def _row(name: str, path: Path, line: YoloLine, outlined: bool) -> BoxRow:
    return BoxRow(
        place=line.place,
        image=path,
        phrase=line.name,
        category=line.name,
        numbers=line.numbers,
        form="xyxy" if line.corners else None,
        unit="relative" if line.corners else None,
        name=name,
        mask=_outline(path, line) if outlined and line.corners else None,
    )


def _outline(path: Path, line: YoloLine) -> Outline | None:
    size = counted_on(None, path)
    if size is None:
        return None
    xs, ys = line.polygon[::2], line.polygon[1::2]
    found = of_polygons([[(x * size[0], y * size[1]) for x, y in zip(xs, ys, strict=True)]], size)
    return None if isinstance(found, Fault) else found


def _image(name: str, path: Path) -> BoxRow:
    return BoxRow(place=str(path), image=path, phrase="", category="", numbers=(), name=name)


def _without_image(
    folder: YoloFolder, parts: list[SplitFolder], labels: str | None, used: set[Path]
) -> list[Path]:
    """Return the label files in the parts' own folders that are no image's."""
    found: list[Path] = []
    for part in parts:
        own = labels_folder(part, folder.root, labels)
        # Elsewhere other text files lie about, and one folder may hold the labels of all splits.
        shared = own is not None and own.name == "labels" and len(folder.parts) > 1
        if own is not None and own != part.folder and own.is_dir() and not shared:
            found += [
                file for file in files_in(own, (".txt",)) if file not in used and file.name not in NAMES
            ]
    return found


def _unpaired(alone: list[Path]) -> Unusable:
    return Unusable(
        f"{alone[0].parent}: {len(alone):,} label files without an image",
        "missing image",
        "give each its image, by the same name, name other folders in `images` and `labels`",
        found=listed([file.name for file in alone], most=5),
    )


def _check_upright(lines: list[YoloLine]) -> None:
    corners = {line.corners for line in lines}
    tilted = [line for line in lines if line.tilted]
    if tilted and corners <= {0, 4}:
        raise DataError(
            f"{tilted[0].place}: an oriented box, which this project cannot draw",
            found=f"{len(tilted):,} lines of four corners that are no upright rectangle",
            remedy="if they are polygons, or the upright box around them will do, set oriented = 'bounds'",
        )
