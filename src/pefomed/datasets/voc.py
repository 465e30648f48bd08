"""Boxes from Pascal VOC files: an XML file an image.

Link, licence, counts: the owner's; the format is that of http://host.robots.ox.ac.uk/pascal/VOC/. Layout:
`Annotations/*.xml`, `JPEGImages/` and `ImageSets/Main/train.txt` ..., or the XML files of each split in a
folder, beside the images or not; see `annotation_folder`::

    [data.mine]
    loader = "voc"
    root = "mine"

One object of a file, the first and the last pixel, counted from 1::

    <object><name>mass</name><bndbox><xmin>65</xmin><ymin>49</ymin><xmax>320</xmax><ymax>240</ymax></bndbox></object>

which is the box from 64 to 320 and from 48 to 240. The phrase is the name. `part`s of an object are not
read. An image without objects has no box, and is counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import Element

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.annotation_folder import (
    annotation_parts,
    no_picture,
    picture_of,
    split_lists,
)
from pefomed.annotations.annotation_rows import bare_rows, drawn_row, image_row
from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import Making, Skip, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.coco_file import Annotation
from pefomed.annotations.split_folders import stem_of
from pefomed.datasets.card import DataCard
from pefomed.datasets.reader_folders import READER, files_by_reader, reader_folders, reader_option
from pefomed.errors import DataError, listed
from pefomed.files.safe_xml import read_xml
from pefomed.mapping.skip import NOTHING
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = DataCard(
    title="Pascal VOC files of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("Annotations/*.xml, JPEGImages/, ImageSets/Main/train.txt ...",),
)

Pixels = Literal["from 1", "from 0", "edges"]
"""`from 1`: the first and the last pixel, counted from 1. `from 0`: the same from 0. `edges`: of pixels."""

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    annotations: str | None = None,
    images: str | None = None,
    meta: tuple[str, ...] = (),
    pixels: Pixels = "from 1",
    names: tuple[str, ...] = (),
    reader: str | None = None,
    readers: Choice | None = None,
    fusion_iou: float = FUSION_IOU,
    without: Undrawn = "left out",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and name of `split`, and what images have no object.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        annotations: folder of the XML files, relative to `root` or absolute; `{split}` stands for the split.
        images: folder of the images, likewise.
        meta: fields of the object or its file to group results by, e.g. `difficult` or `source.database`.
        pixels: what the corners are: VOC's own `from 1`, `from 0`, or `edges` of pixels.
        names: with `without`, what might be drawn beside what is drawn in the split.
        reader: field of the object or its file that says who drew it, `""` for nobody; or `{reader}` in
            `annotations` stands for the folder of each; by default several readers of a phrase are an error.
        readers: with that, `apart` (a sample for each) or `fused` (the boxes of all as one answer).
        fusion_iou: boxes of several readers that overlap by more are one.
        without: names without a box: `left out`, or samples whose answer is that there is no box, in
            the `images` without objects, or all names that an image lacks (`categories`).
        skip: which records are left out and counted: `"no box"`, `"wrong box"`, `"missing image"`,
            `"empty question"` (no phrase), or a value of a field, `{ column = "iscrowd", is = 1 }`.

    Raises:
        DataError: a file is missing or not as it should be, or a box is wrong; the file and the object are
            named.
    """
    drawn_by = reader_option(reader, annotations, readers, "annotations")
    field = "" if drawn_by == READER else drawn_by or ""
    rows: list[BoxRow] = []
    asked: list[BoxRow] = []
    for own_reader, part, file in files_by_reader(root, annotations, split, ".xml"):
        found = read_xml(file)
        if found.tag != "annotation":
            raise DataError(f"{file} is no VOC file: expected <annotation>", found=f"<{found.tag}>")
        about = _fields(found, but=("object",))
        name = str(about.get("filename") or "").strip() or stem_of(file.with_suffix(""))
        image = picture_of(root, part, file, name, images)
        if image is None and "missing image" in skip:
            yield LeftOut(str(file), "missing image", name)
            continue
        if image is None:
            raise no_picture(root, part, file, name, images)
        if os.path.isabs(name):  # an id is the same wherever the data lies
            name = Path(os.path.relpath(image, root)).as_posix()
        objects = found.findall("object")
        if not objects or without == "categories":
            asked.append(image_row(str(file), image, name, about, meta))
        size = _size(found)
        for number, each in enumerate(objects, 1):
            place = f"{file}, object {number}"
            label = (each.findtext("name") or "").strip()
            record = Annotation(place, _fields(each, but=("part",)), about, label)
            row = drawn_row(record, image, name, size, _numbers(each, pixels, size), meta, field)
            rows.append(replace(row, reader=own_reader or row.reader))
    making = Making(
        tasks, boxes, "xyxy", "pixel", False, drawn_by, readers, fusion_iou, without=without, skip=skip
    )
    asked = bare_rows(asked, rows, without)
    yield from box_samples(rows, f"{root.name}-{split}", making, asked, names)


def splits(root: Path, *, annotations: str | None = None, **_: Any) -> dict[str, int | None]:
    """Return the splits as the lists or the folders call them.

    Raises:
        DataError: see `load`.
    """
    found: dict[str, int | None] = {}
    for each in reader_folders(root, annotations, "annotations"):
        parts = annotation_parts(root, each.pattern, ".xml")
        found |= dict.fromkeys(split_lists(root, parts) or (part.split for part in parts))
    return found


def _fields(element: Element, but: tuple[str, ...], deeper: int = 4) -> dict[str, Any]:
    """Return an element's children as fields: texts, and objects of those that have children."""
    return {
        child.tag: _fields(child, (), deeper - 1) if len(child) and deeper else (child.text or "").strip()
        for child in element
        if child.tag not in but
    }


def _size(element: Element) -> tuple[str, str] | None:
    said = [(element.findtext(f"size/{side}") or "").strip() for side in ("width", "height")]
    # Programs that do not know the size write 0.
    return None if all(side in ("", "0") for side in said) else (said[0], said[1])


def _numbers(element: Element, pixels: Pixels, said: tuple[str, str] | None) -> tuple[Any, ...] | Fault:
    """Return the edges of an object's box, or what is wrong with it."""
    box = element.find("bndbox")
    if box is None:
        return Fault(
            "no <bndbox>",
            listed([f"<{child.tag}>" for child in element]) or "nothing",
            "write the upright box of each object; oriented boxes are not read",
        )
    texts = [(box.findtext(corner) or "").strip() for corner in _CORNERS]
    try:
        left, top, right, bottom = (float(text) for text in texts)
    except ValueError:
        return tuple(texts)
    if pixels == "edges":
        return left, top, right, bottom
    first = 1 if pixels == "from 1" else 0
    if min(left, top) < first - 0.5:
        return _miscounted(pixels, texts, "'from 0' or 'edges'")
    sides = zip((right, bottom), said or (), strict=False)
    if pixels == "from 0" and any(side.isdecimal() and last == float(side) for last, side in sides):
        return _miscounted(pixels, texts, "'from 1' or 'edges'")
    return left - first, top - first, right + 1 - first, bottom + 1 - first


def _miscounted(pixels: Pixels, texts: list[str], others: str) -> Fault:
    return Fault(
        f"a corner that is no pixel counted {pixels}",
        ", ".join(f"{name} {text}" for name, text in zip(_CORNERS, texts, strict=True)),
        f"correct the object; if all files are written so, set pixels = {others}",
    )
