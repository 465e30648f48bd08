"""Which columns hold boxes, and which readings of their numbers fit the images: no silent guess."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.annotations.box_frames import ImageSizes, frame_of
from pefomed.annotations.box_numbers import Fault, Form, Unit
from pefomed.errors import DataError
from pefomed.files.files import json_value
from pefomed.proposals import names
from pefomed.proposals.proposal import Proposal, ProposedChoice
from pefomed.proposals.table_sample import TableSample, is_empty, value_at
from pefomed.schema import Box

FORMS: tuple[Form, ...] = typing.get_args(Form)
UNITS: tuple[Unit, ...] = typing.get_args(Unit)
MOST = 50
"""Boxes that every reading is tried on."""


@dataclass(frozen=True)
class BoxNames:
    """The columns of boxes."""

    columns: tuple[str, ...]
    form: Form | None
    """What the names say."""


def box_columns(looked: TableSample) -> BoxNames | None:
    """Return the columns that hold boxes; None if none are called so, or hold other things."""
    plain = {names.plain(column): column for column in reversed(looked.columns)}
    for form, several in names.CORNERS.items():
        for called in several:
            parts = called.split()
            for column in plain:
                before = column[: -len(parts[0])] if column.endswith(parts[0]) else None
                if before is None:
                    continue
                # `Bbox [x,y,w,h]` is cut by its commas: the first alone has the beginning
                found = tuple(plain.get(before + part, plain.get(part, "")) for part in parts)
                if not all(found) or len(set(found)) < len(parts):
                    continue
                if all(_is_number(one) for name in found for one in looked.values(name)[:MOST]):
                    return BoxNames(found, typing.cast(Form, form))
    lists = [name for name in looked.columns if _is_boxes(looked.values(name)[:MOST])]
    for column in (
        *names.matching_columns(lists, names.BOXES),
        *(each for each in lists if "box" in names.plain(each)),
    ):
        said = (form for form, pattern in names.FORM_IN_NAME if pattern.search(column))
        return BoxNames((column,), typing.cast(Form | None, next(said, None)))
    return None


def add_boxes(
    proposal: Proposal, looked: TableSample, found: BoxNames, images: Sequence[tuple[str, Path]]
) -> None:
    """Say in a proposal which columns hold boxes, and what their numbers are or may be.

    Args:
        images: column and file of each row's image, in the order of the rows; an empty column for none.
    """
    proposal.set("boxes.columns", list(found.columns), "by name, and numbers are in it")
    tried = list(_tried(looked, found, images))
    fits = [
        (form, unit)
        for form in FORMS
        for unit in UNITS
        if tried and all(_box(one, form, unit) for one in tried)
    ]
    named = [one for one in fits if one[0] == found.form]
    # Names say the form; a reading that they do not say is mentioned, never taken.
    among = named if found.form and (named or not fits) else fits
    forms = list(dict.fromkeys(form for form, _ in among))
    units = list(dict.fromkeys(unit for _, unit in among))
    usual, likely = forms or FORMS, units or UNITS
    n = f"{len(tried)} box{'' if len(tried) == 1 else 'es'} looked at"
    if found.form and (named or not tried):
        others = [form for form in dict.fromkeys(form for form, _ in fits) if form != found.form]
        also = f"; {', '.join(others)} would fit too" if others else ""
        proposal.set("boxes.form", found.form, f"as the names say{also}")
    elif len(forms) == 1:
        proposal.set("boxes.form", forms[0], f"only this reading fits the images in all {n}")
    else:
        why = (
            f"{', '.join(forms)} fit all {n}" if forms else "no reading fits all images" if tried else _UNSEEN
        )
        proposal.ask(
            "boxes.form",
            why,
            *_choices(tried, {form: [(form, unit) for unit in likely] for form in forms or FORMS}),
        )
    if len(units) == 1:
        proposal.set("boxes.unit", units[0], f"only this one fits the images in all {n}")
    else:
        why = f"{', '.join(units)} fit all {n}" if units else "no unit fits all images" if tried else _UNSEEN
        proposal.ask(
            "boxes.unit",
            why,
            *_choices(tried, {unit: [(form, unit) for form in usual] for unit in units or UNITS}),
        )


_UNSEEN = "there is no image to check them against"


@dataclass(frozen=True)
class _Tried:
    numbers: tuple[Any, ...]
    frame: ImageSizes


def _tried(looked: TableSample, found: BoxNames, images: Sequence[tuple[str, Path]]) -> Iterator[_Tried]:
    frames: dict[Path, ImageSizes | None] = {}
    number = 0
    for row, (column, path) in zip(looked.rows, images, strict=True):
        for numbers in _numbers(row, found.columns) if column else ():
            if path not in frames:
                frames[path] = _frame(path)
            frame = frames[path]
            if frame is not None and number < MOST:
                number += 1
                yield _Tried(numbers, frame)


def _frame(path: Path) -> ImageSizes | None:
    try:
        return frame_of(path)
    except DataError:  # the audit names it
        return None


def _numbers(row: dict[str, Any], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    if len(columns) == 4:
        four = tuple(value_at(row, name) for name in columns)
        return [] if any(is_empty(one) for one in four) else [four]
    return boxes_in(value_at(row, columns[0]))


def boxes_in(value: Any) -> list[tuple[Any, ...]]:
    """Return the boxes in a cell: a list of four, a list of such, or a text of either; none if it is none."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                value = json_value(text)
            except (RecursionError, ValueError):
                return []
        else:
            value = [re.split(r"[,\s]+", part.strip()) for part in text.split(";") if part.strip()]
    value = [one for one in value if one is not None] if isinstance(value, list) else []
    if not value:
        return []
    several = value if isinstance(value[0], list | tuple) else [value]
    if all(isinstance(one, list) and (not one or isinstance(one[0], list)) for one in several):
        several = [box for one in several for box in one]  # the boxes of several phrases
    if not all(
        isinstance(one, list | tuple) and len(one) == 4 and all(map(_is_number, one)) for one in several
    ):
        return []
    return [tuple(one) for one in several]


def _box(one: _Tried, form: Form, unit: Unit) -> Box | None:
    found = one.frame.box(one.numbers, form, unit, one.frame.stored)
    return None if isinstance(found, Fault) else found


def _choices(
    tried: Sequence[_Tried], readings: Mapping[Form | Unit, Sequence[tuple[Form, Unit]]]
) -> Iterator[ProposedChoice]:
    """Yield each answer with what the first box would be by the first of its readings that fits."""
    for value, ways in readings.items():
        gives = "nothing could be tried"
        if tried:
            box = next((box for form, unit in ways if (box := _box(tried[0], form, unit))), None)
            what = f"the first box would be {_words(box, tried[0].frame)}" if box else ""
            gives = what or "the first box would be refused"
        yield ProposedChoice(value, gives)


def _words(box: Box, frame: ImageSizes) -> str:
    width, height = frame.stored
    x0, y0, x1, y1 = box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height
    return f"{x0:.0f} to {x1:.0f} of {width} across and {y0:.0f} to {y1:.0f} of {height} down, in pixels"


def _is_boxes(values: Sequence[Any]) -> bool:
    return bool(values) and all(boxes_in(value) for value in values)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
