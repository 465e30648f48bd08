"""Boxes from any COCO JSON file: the phrase is the category, or a field of the annotation.

Link, licence, counts: the owner's. Layout: by default one file a split, `{split}.json`, the images in
the same folder; both may be named otherwise in the recipe, `{split}` standing for the split::

    [data.mine]
    loader = "coco"
    root = "mine"
    options = { annotations = "annotations/{split}.json", images = "images/{split}", tasks = ["refer"] }

One record of `annotations`, x, y, width and height in pixels::

    {"id": 7, "image_id": 3, "category_id": 1, "bbox": [12, 30, 44, 21]}

All boxes of a phrase in an image are one sample. Annotations of `iscrowd` are boxes like others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pefomed.data.box_tasks import BoxTask, is_chosen, samples_of
from pefomed.data.card import Card
from pefomed.data.coco_file import Annotation, read_coco
from pefomed.data.content_ids import ContentIds
from pefomed.data.owners import owners_of
from pefomed.data.readers.box_numbers import Form, Unit
from pefomed.data.readers.box_rows import Row, all_right, merged
from pefomed.data.readers.files import inside
from pefomed.data.readers.shards import seems_split
from pefomed.errors import DataError, nearest
from pefomed.schema import Sample

CARD = Card(
    title="A COCO file of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("train.json, validate.json, test.json and the images",),
)


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    annotations: str = "{split}.json",
    images: str = ".",
    split_field: str | None = None,
    phrase: str | None = None,
    meta: tuple[str, ...] = (),
    form: Form = "xywh",
    unit: Unit = "pixel",
    scaled_images: bool = False,
) -> Iterator[Sample]:
    """Yield a sample for each task, image and phrase of `split`.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        annotations: the COCO file, relative to `root`.
        images: folder of the images, relative to `root`.
        split_field: field of the annotation or its image that says its split; by default the whole
            file is the split.
        phrase: field of the annotation that holds the phrase; by default its category.
        meta: fields of the annotation or its image to group results by.
        form: `xywh` is COCO's; some programs write `xyxy`.
        unit: `pixel` is COCO's; some programs write fractions (`relative`).
        scaled_images: the images were scaled in proportion; boxes are pixels of the file's sizes.

    Raises:
        DataError: the file is not COCO JSON, a box, an image or a phrase is missing or wrong; the
            annotation is named.
    """
    path = root / annotations.replace("{split}", split)
    folder = root / images.replace("{split}", split)
    if split_field is None and "{split}" not in annotations and split != "train":
        raise DataError(
            f"{path} has no split {split!r}: the whole file is 'train'",
            remedy="name the field with the split in `split_field`, or give a file a split in `annotations`",
        )
    chosen = _of_split(read_coco(path), split_field, split, path)
    rows = (_row(each, folder, phrase, meta) for each in chosen)
    found = all_right(merged(rows, form, unit, scaled_images=scaled_images))
    # A phrase of an image is there once: whatever else the file holds, and in which order, its id stays.
    ids = ContentIds(f"{root.name}-{split}")
    for each in found:
        name = ids(each.first.name, each.first.category, each.first.phrase)
        if is_chosen(each.boxes, boxes):
            for sample in samples_of(
                name, str(each.first.image), each.size, each.first.phrase,
                each.boxes, {"category": each.first.category, **(each.first.meta or {})}, tasks,
            ):  # fmt: skip
                yield sample.model_copy(update={"owners": dict(each.first.owners)})


def splits(
    root: Path, *, annotations: str = "{split}.json", split_field: str | None = None, **_: Any
) -> dict[str, int | None]:
    """Return the splits that the files, or their field `split_field`, have, with their boxes.

    Raises:
        DataError: see `load`.
    """
    if split_field is not None and "{split}" not in annotations:
        return dict(Counter(each.text(split_field) or "" for each in read_coco(root / annotations)))
    if "{split}" not in annotations:
        return {"train": None}
    before, _mark, behind = annotations.partition("{split}")
    files = (path.relative_to(root).as_posix() for path in sorted(root.glob(f"{before}*{behind}")))
    names = (file[len(before) : len(file) - len(behind)] for file in files)
    return dict.fromkeys(name for name in names if seems_split(name))


def _of_split(
    annotations: Iterator[Annotation], field: str | None, split: str, path: Path
) -> Iterator[Annotation]:
    other: set[str] = set()
    found = False
    for each in annotations:
        said = split if field is None else each.text(field)
        if said is None:
            raise DataError(f"{each.place}: no field {field!r}", remedy="correct the option `split_field`")
        found |= said == split
        other.add(said)
        if said == split:
            yield each
    if other and not found:
        raise DataError(f"{path}: no annotation of the split {split!r}", remedy=nearest(split, other))


def _row(each: Annotation, folder: Path, phrase: str | None, meta: tuple[str, ...]) -> Row:
    image = each.image
    said = (image.get("width"), image.get("height"))
    for field in (*((phrase,) if phrase else ()), *meta):
        if each.text(field) is None:
            raise DataError(
                f"{each.place}: no field {field!r}", remedy=nearest(field, {*each.entry, *each.image})
            )
    return Row(
        place=each.place,
        image=inside(folder, str(image["file_name"]), each.place),
        phrase=(each.text(phrase) or "") if phrase else each.category,
        category=each.category,
        numbers=each.numbers,
        name=str(image["file_name"]),
        size=None if said == (None, None) else said,
        meta={field: each.text(field) or "" for field in meta},
        owners=owners_of({**each.image, **each.entry}, meta),
    )
