"""Boxes in a table of one's own: four columns a box, or one column with all boxes of the row.

Rows that say the same of the same image (task, phrase, category) are one sample with the boxes of all.
One column holds `12 30 44 21; 60 30 20 22`, or a list of lists (JSON Lines, Parquet).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field, field_validator

from pefomed.boxes import tasks
from pefomed.checked import Checked
from pefomed.data.box_tasks import BoxTask, samples_of
from pefomed.data.pictures.images import image_size
from pefomed.data.readers.box_numbers import Fault, Form, Size, Unit, box_of, size_fault
from pefomed.data.readers.files import json_value
from pefomed.data.table_cells import cell
from pefomed.errors import DataError, nearest
from pefomed.schema import Box, Sample

Draft = tuple[str, Sample, Mapping[str, Any]]
"""Place, the row's sample without boxes, its cells."""

_MARK = re.compile(r"</p>\{([\d,]*)\}")


class BoxColumns(Checked):
    """Which columns hold boxes, and what their numbers are; nothing of it is guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...]
    """Four names, or the one of a column with all boxes of the row."""
    form: Form
    """`xywh`: left, top, width, height. `xyxy`: left, top, right, bottom."""
    unit: Unit
    """`pixel` of the image file, or `relative`: fractions of its width and height."""
    tasks: tuple[BoxTask, ...] = Field(("refer",), min_length=1)
    """What is asked about each phrase, unless `columns.task` names a column."""
    category: str | None = None
    """Column to group results by, and to take floors from; by default the phrase."""
    categories: tuple[str, ...] = ()
    """The categories there are, if others are mistakes."""
    width: str | None = None
    """Column with the image's width in pixels, to be checked against the file; `height` likewise."""
    height: str | None = None
    scaled_images: bool = False
    """The images were scaled in proportion: boxes are pixels of the sizes in the table."""

    @field_validator("columns")
    @classmethod
    def _one_or_four(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(names) not in (1, 4):
            raise ValueError("give four columns, or one with all boxes of the row")
        return names


def with_boxes(drafts: Iterable[Draft], spec: BoxColumns, several_tasks: bool) -> Iterator[Sample]:
    """Yield the samples of the rows with their boxes, in the order of their first rows.

    Args:
        several_tasks: one sample for each of `spec.tasks`, instead of the draft's own task.

    Raises:
        DataError: a box, an image or a category is wrong, or a phrase has no box; the row is named.
    """
    size_of = functools.cache(image_size)
    groups: dict[tuple[Any, ...], list[tuple[Draft, str]]] = {}
    for place, draft, row in drafts:
        category = _category(row, spec, place) or draft.question or draft.reference
        key = (draft.images, draft.task, draft.question, draft.reference, category)
        groups.setdefault(key, []).append(((place, draft, row), category))
    for group in groups.values():
        (place, draft, _), category = group[0]
        boxes = tuple(box for (where, _, row), _ in group for box in _boxes(row, spec, where, draft, size_of))
        if draft.task in tasks.ALL and not boxes:
            raise DataError(
                f"{place}: a phrase without boxes",
                found=f"columns {', '.join(spec.columns)} are empty",
                remedy="fill them in, or remove the row",
            )
        size = size_of(draft.images[0]) if boxes else None
        if several_tasks and size is not None:
            for sample in samples_of(
                draft.id, draft.images[0], size, draft.question, boxes,
                {"category": category, **draft.meta}, spec.tasks,
            ):  # fmt: skip
                yield sample.model_copy(update={"owners": draft.owners})
            continue
        _check_marks(draft, boxes, place)
        counts = draft.task != tasks.MARKED and boxes
        own = {"category": category, "boxes": tasks.how_many(boxes)} if counts else {}
        yield draft.model_copy(update={"boxes": boxes, "size": size, "meta": {**own, **draft.meta}})


def _category(row: Mapping[str, Any], spec: BoxColumns, place: str) -> str:
    if spec.category is None:
        return ""
    name = str(cell(row, spec.category, place, "boxes") or "").strip()
    if not name or (spec.categories and name not in spec.categories):
        raise DataError(
            f"{place}: unknown category {name!r} in column {spec.category!r}",
            remedy=nearest(name, spec.categories) if spec.categories else "fill it in, or remove the row",
        )
    return name


def _boxes(
    row: Mapping[str, Any], spec: BoxColumns, place: str, draft: Sample, size_of: Any
) -> Iterator[Box]:
    several = _numbers(row, spec, place)
    if not several:
        return
    true: Size = size_of(draft.images[0])
    pixels = true
    if spec.width is not None and spec.height is not None:
        said = (cell(row, spec.width, place, "boxes"), cell(row, spec.height, place, "boxes"))
        fault = size_fault(true, said, spec.scaled_images)
        if fault is not None:
            raise fault.error(f"{place}, image {draft.images[0]}")
        pixels = (int(float(said[0])), int(float(said[1])))
    for numbers in several:
        box = box_of(numbers, spec.form, spec.unit, pixels)
        if isinstance(box, Fault):
            raise box.error(f"{place}, image {draft.images[0]}")
        yield box


def _numbers(row: Mapping[str, Any], spec: BoxColumns, place: str) -> list[tuple[Any, ...]]:
    """Return the numbers of every box of a row, or their texts."""
    if len(spec.columns) == 4:
        cells = tuple(cell(row, name, place, "boxes") for name in spec.columns)
        return [] if all(cell is None or not str(cell).strip() for cell in cells) else [cells]
    value = cell(row, spec.columns[0], place, "boxes")
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [tuple(part.replace(",", " ").split()) for part in value.split(";") if part.strip()]
    if isinstance(value, str):
        try:
            value = json_value(value)
        except (RecursionError, ValueError) as error:
            raise DataError(f"{place}: column {spec.columns[0]!r} is no list", found=str(error)) from None
    value = [] if value is None else value
    if not isinstance(value, list):
        raise DataError(f"{place}: column {spec.columns[0]!r} must hold boxes", found=repr(value)[:80])
    if value and not any(isinstance(each, list) for each in value):
        return [tuple(value)]
    return [tuple(each) if isinstance(each, list) else (each,) for each in value]


def _check_marks(draft: Sample, boxes: tuple[Box, ...], place: str) -> None:
    """Check that the marks of a grounding caption are numbers of its boxes."""
    if draft.task != tasks.MARKED:
        return
    marks = [mark for marks in _MARK.findall(draft.reference) for mark in marks.split(",")]
    # Python limits the digits of an integer; nine are far beyond any number of boxes.
    if not marks or any(not 0 < len(mark) < 10 or int(mark) >= len(boxes) for mark in marks):
        raise DataError(
            f"{place}: a grounding caption marks its phrases with the numbers of their boxes, from 0",
            found=f"marks {', '.join(marks) or 'none'}; {len(boxes)} boxes",
            remedy="write e.g. `the <p>liver</p>{0} and <p>both kidneys</p>{1,2}`",
        )
