"""Boxes from LabelMe files: a JSON file an image, with rectangles, polygons, circles and masks.

Link, licence, counts: the owner's; the format is that of https://github.com/wkentaro/labelme. Layout: the
JSON files beside the images or in a folder of their own, those of each split in a folder; see
`annotation_folder`::

    [data.mine]
    loader = "labelme"
    root = "mine"

One shape of a file, as `labelme_file` reads it::

    {"label": "mass", "shape_type": "rectangle", "points": [[64, 48], [320, 240]]}

The phrase is the label, the box that around the shape. Lines and points have none and are counted, and so
is an image without shapes. `imagePath` may lead upwards (`../images/0.png`), but not out of the root. Where
there is no such file, the picture is what the JSON file itself holds (`imageData`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.annotation_folder import annotation_parts, no_picture, picture_of
from pefomed.annotations.annotation_rows import bare_rows, drawn_row, image_row
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import Making, Skip, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.coco_file import Annotation
from pefomed.annotations.labelme_file import (
    WITHOUT_BOX,
    box_of_shape,
    kind_of,
    outline_of_shape,
    read_labelme,
)
from pefomed.annotations.sample_outlines import counted_on
from pefomed.annotations.split_folders import SplitFolder
from pefomed.datasets.card import DataCard
from pefomed.datasets.reader_folders import READER, files_by_reader, reader_folders, reader_option
from pefomed.errors import DataError, ImageError
from pefomed.files.unpacked import image_of
from pefomed.images.images import image_size
from pefomed.mapping.images import ImageColumns, relative_in
from pefomed.mapping.skip import NOTHING, Unusable
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = DataCard(
    title="LabelMe files of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("*.json beside the images; or train/*.json ...",),
)


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    annotations: str | None = None,
    images: str | None = None,
    meta: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    reader: str | None = None,
    readers: Choice | None = None,
    fusion_iou: float = FUSION_IOU,
    without: Undrawn = "left out",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and label of `split`, and what images and shapes have no box.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        annotations: folder of the JSON files, relative to `root` or absolute; `{split}` stands for the split.
        images: folder of the images, likewise.
        meta: fields of the shape or its file to group results by, e.g. `flags.benign`.
        names: with `without`, what might be drawn beside what is drawn in the split.
        reader: field of the shape or its file that says who drew it, `""` for nobody; or `{reader}` in
            `annotations` stands for the folder of each; by default several readers of a phrase are an error.
        readers: with that, `apart` (a sample for each) or `fused` (the boxes of all as one answer).
        fusion_iou: boxes of several readers that overlap by more are one.
        without: names without a box: `left out`, or samples whose answer is that there is no box, in
            the `images` without shapes, or all names that an image lacks (`categories`).
        skip: which records are left out and counted: `"no box"`, `"wrong box"`, `"missing image"`,
            `"empty question"` (no phrase), or a value of a field, `{ column = "iscrowd", is = 1 }`.

    Raises:
        DataError: a file is missing or not as it should be, or a shape is wrong; the file and the shape are
            named.
    """
    drawn_by = reader_option(reader, annotations, readers, "annotations")
    field = "" if drawn_by == READER else drawn_by or ""
    rows: list[BoxRow] = []
    asked: list[BoxRow] = []
    there: list[BoxRow] = []
    for own_reader, part, file in files_by_reader(root, annotations, split, ".json"):
        about, shapes = read_labelme(file)
        inside = about.pop("imageData", None)
        try:
            image = _image(root, part, file, str(about.pop("imagePath", None) or ""), images)
        except Unusable as error:
            if inside:
                image = _held(inside, f"{file}, `imageData`")
            elif error.kind not in skip:
                raise
            else:
                yield LeftOut(str(file), error.kind)
                continue
        own = file.relative_to(part.folder).as_posix()
        if not shapes or without == "categories":
            asked.append(image_row(str(file), image, own, about, meta))
        for number, shape in enumerate(shapes, 1):
            each = Annotation(f"{file}, shape {number}", shape, about, str(shape.get("label") or "").strip())
            if kind_of(shape) in WITHOUT_BOX:
                yield LeftOut(
                    each.place, f"a shape of the type {kind_of(shape)!r}, which has no box", each.category
                )
                there.append(BoxRow(each.place, image, each.category, each.category, ()))
            else:
                said = (about.get("imageWidth"), about.get("imageHeight"))
                size = None if said == (None, None) else said
                row = drawn_row(each, image, own, size, box_of_shape(shape, image_size(image)), meta, field)
                on = counted_on(size, image) if row.fault is None else None
                outline = outline_of_shape(shape, on) if on else None
                rows.append(replace(row, reader=own_reader or row.reader, mask=outline))
    making = Making(
        tasks, boxes, "xyxy", "pixel", False, drawn_by, readers, fusion_iou, without=without, skip=skip
    )
    asked = bare_rows(asked, rows, without)
    yield from box_samples(rows, f"{root.name}-{split}", making, asked, names, there)


def splits(root: Path, *, annotations: str | None = None, **_: Any) -> dict[str, int | None]:
    """Return the splits as the folders call them.

    Raises:
        DataError: see `load`.
    """
    return dict.fromkeys(
        part.split
        for each in reader_folders(root, annotations, "annotations")
        for part in annotation_parts(root, each.pattern, ".json")
    )


def _held(value: Any, place: str) -> Path:
    """Return where the picture is kept that a file holds itself."""
    if not isinstance(value, str):
        raise DataError(f"{place} is a text", found=f"{value!r:.60}")
    path = Path(image_of({"bytes": value, "path": None}, place))
    try:
        image_size(path)
    except ImageError as error:
        raise DataError(f"{place} is no picture", found=error.found or error.problem) from None
    return path


def _image(root: Path, part: SplitFolder, file: Path, path: str, images: str | None) -> Path:
    """Return the image that a file calls `path`; a path of another machine stands for the name alone."""
    ImageColumns(root).check_no_url(path, str(file))
    said = re.sub(r"^[A-Za-z]:", "", path.replace("\\", "/")) or file.with_suffix("").name
    if not images:
        way = Path(os.path.normpath(file.parent / said))
        if way.is_relative_to(os.path.normpath(root)) and way.is_file():
            return way
    if os.path.isabs(said):
        folder = root / images.replace("{split}", part.split) if images else root
        if (own := relative_in(folder, said)) != said and (folder / own).is_file():
            return folder / own
    name = said.rpartition("/")[2]
    inner = re.sub(r"^(?:\.{0,2}/)+", "", said)
    for each in dict.fromkeys((inner, name)):
        if (".." not in each.split("/")) and (found := picture_of(root, part, file, each, images)):
            return found
    raise no_picture(root, part, file, path or name, images)
