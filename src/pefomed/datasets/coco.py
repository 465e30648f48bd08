"""Boxes from any COCO JSON file: the phrase is the category, or a field of the annotation.

Link, licence, counts: the owner's. Layout: by default one file a split, `{split}.json`, the images in
the same folder; both may be named otherwise in the recipe, `{split}` standing for the split::

    [data.mine]
    loader = "coco"
    root = "mine"
    options = { annotations = "annotations/{split}.json", images = "images/{split}", tasks = ["refer"] }

One record of `annotations`, x, y, width and height in pixels::

    {"id": 7, "image_id": 3, "category_id": 1, "bbox": [12, 30, 44, 21]}

All boxes of a phrase in an image are one sample. An annotation without `bbox` is the box around its
`segmentation`: of polygons that of their corners, of a run-length code (as a list or compressed) that of its
pixels, from the first to behind the last. A `segmentation` is kept, whatever the box is, for `mask_dice`.
Annotations of `iscrowd` are boxes like others; keypoints are not
read. Fields inside an object are named by their path: `split_field = "metadata.split"`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PlainValidator

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.box_numbers import Form, Unit
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import KINDS, Making, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.coco_file import Annotation, CocoFile, read_coco
from pefomed.annotations.coco_rows import bare_row, outline_fault, row_of
from pefomed.datasets.card import DataCard
from pefomed.errors import DataError, nearest
from pefomed.files.split_names import NONE, equal_names, meant, seems_none, seems_split
from pefomed.mapping.skip import NOTHING, Rules, Unusable, rules_of
from pefomed.progress import note
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = DataCard(
    title="A COCO file of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("train.json, validate.json, test.json and the images",),
)

Skip = Annotated[Rules, PlainValidator(partial(rules_of, kinds=("no category", *KINDS)))]
"""Which records of a COCO file are left out."""


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
    reader: str | None = None,
    readers: Choice | None = None,
    fusion_iou: float = FUSION_IOU,
    without: Undrawn = "left out",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and phrase of `split`, and what images no annotation names.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        annotations: the COCO file, relative to `root`.
        images: folder of the images, relative to `root`.
        split_field: field of the annotation or its image that says its split; by default `split`, if
            there is one file with that field, or else the whole file is the split.
        phrase: field of the annotation that holds the phrase; by default its category.
        meta: fields of the annotation or its image to group results by.
        form: `xywh` is COCO's; some programs write `xyxy`.
        unit: `pixel` is COCO's; some programs write fractions (`relative`).
        scaled_images: the images were scaled in proportion; boxes are pixels of the file's sizes.
        reader: field of the annotation that says who drew it, `""` for none; by default several readers of
            a phrase are an error.
        readers: with `reader`, `apart` (a sample for each) or `fused` (the boxes of all as one answer).
        fusion_iou: boxes of several readers that overlap by more are one.
        without: categories without a box: `left out`, or samples whose answer is that there is no box, in
            the `images` without annotations, or all `categories` that an image lacks.
        skip: which records are left out and counted: `"no box"`, `"wrong box"`, `"missing image"`, `"no
            category"`, `"empty question"` (no phrase), or a value of a field, `{ column = "iscrowd", is = 1
            }`.

    Raises:
        DataError: the file is not COCO JSON, a box, an image or a phrase is missing or wrong; the
            annotation is named.
    """
    name = _name_of(root, annotations, split)
    path = root / annotations.replace("{split}", name)
    folder = root / images.replace("{split}", name)
    content = read_coco(path)
    field = split_field or _split_field(content, annotations)
    if field is None and "{split}" not in annotations and not equal_names(split, "train"):
        raise DataError(
            f"{path} has no split {split!r}: the whole file is 'train'",
            remedy="name the field with the split in `split_field`, or give a file a split in `annotations`",
        )
    making = Making(tasks, boxes, form, unit, scaled_images, reader, readers, fusion_iou, without, skip)
    if phrase and without != "left out":
        raise DataError(
            "`without` asks for the categories that nobody drew, and `phrase` names other phrases"
        )
    chosen, bare = _of_split(content, field, split, path, required=split_field is not None)
    if any(each.entry.get("keypoints") for each in chosen):
        note(f"{path.name}: keypoints are not read")
    if without == "categories":
        others = {each.entry["image_id"]: each for each in chosen}
        bare = [*(Annotation(each.place, {}, each.image, "") for each in others.values()), *bare]
    undrawn = (bare_row(each, folder, meta) for each in bare)
    uncategorised = [] if phrase else [each for each in chosen if not each.category]
    if uncategorised and "no category" not in skip:
        raise _without_category(uncategorised[0])
    yield from (LeftOut(each.place, "no category") for each in uncategorised)
    rows = [row_of(each, folder, phrase, meta, reader or "") for each in chosen if phrase or each.category]
    _say_unread(rows, path)
    yield from box_samples(rows, f"{root.name}-{split}", making, undrawn, content.categories)


def _say_unread(rows: Sequence[BoxRow], path: Path) -> None:
    found = [(row.place, fault) for row in rows if (fault := outline_fault(row))]
    if found:
        place, fault = found[0]
        note(
            f"{path.name}: {len(found):,} outlines cannot be read, and their phrases have no mask_dice;"
            f" {place}: {fault.reason} ({fault.found})"
        )


def splits(
    root: Path, *, annotations: str = "{split}.json", split_field: str | None = None, **_: Any
) -> dict[str, int | None]:
    """Return the splits as the files, or the field `split_field`, call them, with their boxes.

    Raises:
        DataError: see `load`.
    """
    if "{split}" not in annotations:
        content = read_coco(root / annotations)
        field = split_field or _split_field(content, annotations)
        if field is None:
            return {"train": None}
        found = Counter(_said(each, field) for each in content.annotations)
        found.update(dict.fromkeys((_said(each, field) for each in content.bare), 0))
        return dict(found)
    return dict.fromkeys(name for name in _names(root, annotations) if _is_split(root, annotations, name))


def _names(root: Path, annotations: str) -> list[str]:
    """Return what may stand for `{split}`."""
    before, _mark, behind = annotations.partition("{split}")
    behind = behind.replace("{split}", "*")
    files = (path.relative_to(root).as_posix() for path in sorted(root.glob(f"{before}*{behind}")))
    names = (file[len(before) : len(file) - len(behind)] for file in files)
    return [name for name in names if (root / annotations.replace("{split}", name)).is_file()]


def _is_split(root: Path, annotations: str, name: str) -> bool:
    if seems_split(name) or seems_none(name):
        return seems_split(name)
    try:
        return bool(read_coco(root / annotations.replace("{split}", name)).annotations)
    except DataError:  # some other JSON file beside
        return False


def _name_of(root: Path, annotations: str, split: str) -> str:
    """Return what the files call `split`; the split's own name if there is no such file."""
    if "{split}" not in annotations or (root / annotations.replace("{split}", split)).is_file():
        return split
    names = meant(split, _names(root, annotations))
    if len(names) > 1:
        raise DataError(
            f"{root} needs exactly one file for the split {split!r}", found=", ".join(sorted(names))
        )
    return names[0] if names else split


def _split_field(content: CocoFile, annotations: str) -> str | None:
    """Return the field that says the splits of a file without being named."""
    alone = "{split}" not in annotations
    return "split" if alone and any(each.text("split") for each in content.annotations) else None


def _said(each: Annotation, field: str) -> str:
    return each.text(field) or NONE


def _of_split(
    content: CocoFile, field: str | None, split: str, path: Path, required: bool
) -> tuple[Sequence[Annotation], Sequence[Annotation]]:
    """Return the annotations of `split`, and its images without any."""
    if field is None:
        return content.annotations, content.bare
    for each in content.annotations if required else ():
        if each.text(field) is None:
            raise DataError(f"{each.place}: no field {field!r}", remedy="correct the option `split_field`")
    found = list(dict.fromkeys(_said(each, field) for each in content.annotations))
    names = meant(split, found)
    if found and not names:
        raise DataError(f"{path}: no annotation of the split {split!r}", remedy=nearest(split, found))
    chosen = [each for each in content.annotations if _said(each, field) in names]
    return chosen, [each for each in content.bare if _said(each, field) in names]


def _without_category(each: Annotation) -> Unusable:
    return Unusable(
        f"{each.place}: no category",
        "no category",
        "give it one, name a field with the phrase in `phrase`",
        found=f"category_id = {each.entry.get('category_id')!r}",
    )
