"""Boxes in a table of one's own: four columns a box, or one column with all boxes of the row.

Rows that say the same of the same image (task, phrase, category) are one sample with the boxes of all.
One column holds `12 30 44 21; 60 30 20 22`, or a list of lists (JSON Lines, Parquet). A column `mask` holds
what is inside (`table_masks`), beside the boxes or instead of them.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pefomed import tasks
from pefomed.annotations.absent_phrases import HOW_ABSENT, check_all_or_none, not_identified
from pefomed.annotations.box_frames import ImageSizes, frame_of, told_frame
from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.box_readers import META, check_one_reader, fuse_boxes
from pefomed.annotations.box_rows import nearly, once
from pefomed.annotations.box_tasks import samples_of
from pefomed.annotations.table_masks import RowMask, is_nothing
from pefomed.annotations.table_masks import row_mask as drawn_mask
from pefomed.boxes.samples import how_many
from pefomed.datasets.box_columns import BoxColumns
from pefomed.errors import DataError, nearest
from pefomed.files.files import json_value
from pefomed.mapping.cells import cell, is_empty, said, text
from pefomed.mapping.rows import Draft
from pefomed.mapping.skip import NOTHING, Rules, Unusable
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Box, Mask, Outline, Sample

FrameAt = Callable[[Sample, Mapping[str, Any], str], ImageSizes]
"""From a row's sample, its cells and its place to the frame of its boxes."""

_MARK = re.compile(r"</p>\{([\d,]*)\}")


def with_boxes(
    drafts: Iterable[Draft | LeftOut], spec: BoxColumns, several_tasks: bool, skip: Rules = NOTHING
) -> Iterator[Sample | LeftOut]:
    """Yield the samples of the rows with their boxes, in the order of their first rows.

    A box that is given twice counts once, and its row is told as left out.

    Args:
        several_tasks: one sample for each of `spec.tasks`, instead of the draft's own task.
        skip: which phrases are left out.

    Raises:
        DataError: a box, an image or a category is wrong, or a phrase has no box; the row is named.
    """
    file_frame = functools.cache(frame_of)

    def frame_at(draft: Sample, row: Mapping[str, Any], place: str) -> ImageSizes:
        if spec.sizes == "files":
            return file_frame(draft.images[0])
        return told_frame(_said(row, spec, place))

    groups: dict[tuple[Any, ...], list[tuple[Draft, str]]] = {}
    for each in drafts:
        if isinstance(each, LeftOut):
            yield each
            continue
        place, draft, row = each
        category = _category(row, spec, place) or draft.question or draft.reference
        apart = _reader(row, spec, place) if spec.readers == "apart" else ""
        key = (draft.images, draft.task, draft.question, draft.reference, category, apart)
        groups.setdefault(key, []).append(((place, draft, row), category))
    named = Counter(group[0][0][1].id for group in groups.values())
    for group in groups.values():
        (place, draft, cells), category = group[0]
        if spec.readers == "apart" and named[draft.id] > 1:  # one id for what all of them drew
            draft = draft.model_copy(update={"id": f"{draft.id}-{_reader(cells, spec, place)}"})
        if spec.reader is None:
            check_one_reader([(where, row) for (where, _, row), _ in group], "boxes.")
        masks: list[Mask | Outline | None] = []
        found = [
            (where, _reader(row, spec, where), box)
            for (where, _, row), _ in group
            for box in _boxes(row, spec, where, draft, frame_at, masks)
        ]
        drawn = [(where, reader, box) for where, reader, box in found if not isinstance(box, Fault)]
        for where, _, box in found:
            if isinstance(box, Fault):
                if "wrong box" not in skip:
                    raise _wrong(box, f"{where}, image {draft.images[0]}")
                yield LeftOut(where, box.reason, box.found)
        if len(drawn) < len(found):
            continue  # without all of its boxes an answer would be scored wrongly
        told = drawn
        if draft.task not in tasks.MARKED:  # its marks count the boxes
            drawn, twice = once(drawn, lambda each: (each[1], nearly(each[2])))
            yield from (LeftOut(where, "a box given twice") for where, *_ in twice)
        boxes = tuple(box for *_, box in drawn)
        if spec.readers == "fused":
            boxes = fuse_boxes(((reader, box) for _, reader, box in drawn), spec.fusion_iou)
        elif spec.readers == "apart":
            draft = draft.model_copy(
                update={"meta": {META: _reader(group[0][0][2], spec, place), **draft.meta}}
            )
        absent = spec.without == "absent" and draft.task in tasks.BOXES
        if absent:
            check_all_or_none([(where, _reader(row, spec, where)) for (where, _, row), _ in group], told)
        if draft.task in tasks.HAVE_BOXES and not boxes and not absent:
            if "no box" in skip:
                yield from (LeftOut(where, "no box") for (where, *_), _ in group)
                continue
            raise Unusable(
                f"{place}: a phrase without boxes",
                "no box",
                "fill them in",
                found=f"columns {', '.join(spec.columns)} are empty"
                if spec.columns
                else f"nothing inside of the mask in column {spec.mask!r}",
                or_else=HOW_ABSENT,
            )
        known = _known(masks) if spec.readers != "fused" else ()
        size = frame_at(draft, cells, place).shown if boxes or absent else None
        if spec.sizes == "table" and spec.width is None:
            size = None
        if several_tasks and (boxes or absent):
            for sample in samples_of(
                draft.id, draft.images[0], size, draft.question, boxes,
                {"category": category, **draft.meta}, spec.tasks,
            ):  # fmt: skip
                held = known if sample.task in tasks.BOXES else ()
                yield sample.model_copy(update={"owners": draft.owners, "masks": held})
            yield from not_identified(place, boxes, spec.tasks)
            continue
        _check_marks(draft, boxes, place)
        counts = draft.task not in tasks.MARKED and (boxes or absent)
        own = {"category": category, "boxes": how_many(boxes)} if counts else {}
        held = known if draft.task in tasks.BOXES else ()
        meta = {**own, **draft.meta}
        yield draft.model_copy(update={"boxes": boxes, "size": size, "masks": held, "meta": meta})


def _known(masks: Sequence[Mask | Outline | None]) -> tuple[Mask | Outline, ...]:
    """Return the masks of a phrase, none if one of its boxes has none."""
    found = dict.fromkeys(mask for mask in masks if mask is not None)
    return () if None in masks else tuple(found)


def _reader(row: Mapping[str, Any], spec: BoxColumns, place: str) -> str:
    return str(cell(row, spec.reader, place, "boxes") or "").strip() if spec.reader else ""


def _category(row: Mapping[str, Any], spec: BoxColumns, place: str) -> str:
    if spec.category is None:
        return ""
    name = text(row, spec.category, place, "boxes")
    if not name or (spec.categories and name not in spec.categories):
        raise DataError(
            f"{place}: unknown category {name!r} in column {said(spec.category)!r}",
            remedy=nearest(name, spec.categories) if spec.categories else "fill it in, or remove the row",
        )
    return name


def _boxes(
    row: Mapping[str, Any],
    spec: BoxColumns,
    place: str,
    draft: Sample,
    frame_at: FrameAt,
    masks: list[Mask | Outline | None],
) -> Iterator[Box | Fault]:
    """Yield the boxes of a row, and add its mask to `masks`."""
    several = _numbers(row, spec, place) if spec.columns else []
    outlined = spec.mask is not None and not is_nothing(cell(row, spec.mask, place, "boxes"))
    if not several and (spec.columns or not outlined):
        return
    frame = frame_at(draft, row, place)
    pixels = frame.pixels(_said(row, spec, place), spec.scaled_images)
    if isinstance(pixels, Fault):
        raise pixels.error(f"{place}, image {draft.images[0]}")
    found: RowMask | None = None
    if spec.mask is not None and outlined:
        read = drawn_mask(
            row, spec.mask, place, frame, pixels,
            runs=spec.runs, threshold=spec.threshold, parts=spec.parts, scaled=spec.scaled_images,
        )  # fmt: skip
        if isinstance(read, Fault):
            yield read
            return
        found = read
    if spec.columns or found is not None:
        masks.append(found.mask if found else None)
    if spec.columns:
        yield from (frame.box(numbers, spec.form, spec.unit, pixels) for numbers in several)
    elif found is not None:
        yield from (frame.box(numbers, "xyxy", "pixel", found.size) for numbers in found.boxes)


def _said(row: Mapping[str, Any], spec: BoxColumns, place: str) -> tuple[Any, Any] | None:
    """Return the image's width and height as the table says."""
    if spec.width is None or spec.height is None:
        return None
    return cell(row, spec.width, place, "boxes"), cell(row, spec.height, place, "boxes")


def _wrong(fault: Fault, place: str) -> Unusable:
    return Unusable(f"{place}: {fault.reason}", "wrong box", fault.remedy, found=fault.found)


def _numbers(row: Mapping[str, Any], spec: BoxColumns, place: str) -> list[tuple[Any, ...]]:
    """Return the numbers of every box of a row, or their texts."""
    if len(spec.columns) == 4:
        cells = tuple(cell(row, name, place, "boxes") for name in spec.columns)
        if all(isinstance(cell, list) for cell in cells) and len({len(cell) for cell in cells}) == 1:
            return list(zip(*cells, strict=True))
        return [] if all(is_empty(cell) for cell in cells) else [cells]
    value = cell(row, spec.columns[0], place, "boxes")
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [tuple(part.replace(",", " ").split()) for part in value.split(";") if part.strip()]
    if isinstance(value, str):
        try:
            value = json_value(value)
        except (RecursionError, ValueError) as error:
            raise DataError(f"{place}: column {spec.columns[0]!r} is no list", found=str(error)) from None
    value = [] if is_empty(value) else value
    if not isinstance(value, list):
        raise DataError(f"{place}: column {spec.columns[0]!r} must hold boxes", found=repr(value)[:80])
    if value and not any(isinstance(each, list) for each in value):
        return [tuple(value)]
    return [tuple(each) if isinstance(each, list) else (each,) for each in value]


def _check_marks(draft: Sample, boxes: tuple[Box, ...], place: str) -> None:
    """Check that the marks of a grounding caption are numbers of its boxes."""
    if draft.task not in tasks.MARKED:
        return
    marks = [mark for marks in _MARK.findall(draft.reference) for mark in marks.split(",")]
    # Python limits the digits of an integer; nine are far beyond any number of boxes.
    if not marks or any(not 0 < len(mark) < 10 or int(mark) >= len(boxes) for mark in marks):
        raise DataError(
            f"{place}: a grounding caption marks its phrases with the numbers of their boxes, from 0",
            found=f"marks {', '.join(marks) or 'none'}; {len(boxes)} boxes",
            remedy="write e.g. `the <p>liver</p>{0} and <p>both kidneys</p>{1,2}`",
        )
