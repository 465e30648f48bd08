"""Rows that say where a phrase is, merged so that all boxes of a phrase in an image are one phrase."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pefomed.annotations.box_frames import ImageSizes, frame_of
from pefomed.annotations.box_numbers import Fault, Form, Size, Unit
from pefomed.errors import DataError
from pefomed.progress import track
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Box, Mask, Outline

T = TypeVar("T")

NO_PHRASE = "the phrase is empty"

TOLERATED = 0.05
"""Wrong rows for each right phrase that a known data set may have; with more it is not the published one."""


@dataclass(frozen=True)
class BoxRow:
    """One box of a phrase, or its only one."""

    place: str
    """The file and the place in it, for error messages."""
    image: Path
    phrase: str
    category: str
    numbers: tuple[Any, ...]
    size: tuple[Any, Any] | None = None
    """Width and height of the image as the file says; None where it does not."""
    meta: Mapping[str, str] | None = None
    name: str = ""
    """What the file calls the image."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Whose the image is, by the file's own fields."""
    reader: str = ""
    """Who drew it."""
    form: Form | None = None
    """Of its numbers, where that is not what the loader's options say; `unit` likewise."""
    unit: Unit | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The record's own fields."""
    fault: Fault | None = None
    """What is wrong with it, where that was seen before its image was."""
    mask: Mask | Outline | None = None
    """What it is the box of, or of a part of."""


@dataclass(frozen=True)
class PhraseBoxes:
    """A phrase in an image with all of its boxes."""

    first: BoxRow
    size: Size
    """Width and height of the image in pixels, as it is shown."""
    boxes: tuple[Box, ...]
    rows: tuple[BoxRow, ...]
    """One for each box."""


@dataclass(frozen=True)
class Wrong:
    """A row that cannot be used, and with it its phrase."""

    place: str
    fault: Fault


def merge_boxes(
    rows: Iterable[BoxRow],
    form: Form,
    unit: Unit,
    *,
    scaled_images: bool = False,
    frame: Size | None = None,
    apart: bool = False,
) -> Iterator[PhraseBoxes | Wrong]:
    """Yield every phrase with its boxes in the order of its first row, and every wrong row.

    A phrase with a wrong row is not yielded: without all of its boxes an answer would be scored wrongly.

    Args:
        scaled_images: the images are smaller or larger than the file says, in the same proportions.
        frame: width and height of the frame the pixels are counted in, whatever the image's size.
        apart: each reader's boxes of a phrase are a phrase.

    Raises:
        ImageError: an image cannot be read.
        DataError: an image's true size is not the one the file says.
    """
    frame_at = functools.cache(frame_of)
    groups: dict[tuple[Path, str, str, str], list[BoxRow]] = {}
    for row in rows:
        groups.setdefault((row.image, row.category, row.phrase, row.reader * apart), []).append(row)
    for (image, _, phrase, _), group in track(groups.items(), "checking boxes", len(groups), "phrases"):
        at = frame_at(image)
        boxes: list[Box] = []
        wrong: list[Wrong] = []
        for row in group:
            box: Box | Fault | None = row.fault or (Fault(NO_PHRASE, "") if not phrase else None)
            if box is None:
                pixels = frame or _pixels(row, at, scaled_images)
                box = at.box(row.numbers, row.form or form, row.unit or unit, pixels)
            if isinstance(box, Fault):
                wrong.append(Wrong(row.place, box))
            else:
                boxes.append(box)
        if wrong:
            yield from wrong
        else:
            yield PhraseBoxes(group[0], at.shown, tuple(boxes), tuple(group))


def all_right(found: Iterable[PhraseBoxes | Wrong]) -> Iterator[PhraseBoxes]:
    """Yield the phrases of a user's own data.

    Raises:
        DataError: a row is wrong; the first one is named.
    """
    for each in found:
        if isinstance(each, Wrong):
            raise each.fault.error(each.place)
        yield each


def without_repeats(phrase: PhraseBoxes) -> tuple[PhraseBoxes, list[str]]:
    """Return a phrase without the boxes that a reader gives again, and the places of these."""
    drawn = zip(phrase.rows, phrase.boxes, strict=True)
    kept, twice = once(drawn, lambda each: (each[0].reader, nearly(each[1])))
    rows, boxes = tuple(row for row, _ in kept), tuple(box for _, box in kept)
    return replace(phrase, boxes=boxes, rows=rows), [row.place for row, _ in twice]


def once(items: Iterable[T], key: Callable[[T], Hashable]) -> tuple[list[T], list[T]]:
    """Return the first item of each `key`, and all others."""
    kept: dict[Hashable, T] = {}
    twice = [item for item in items if kept.setdefault(key(item), item) is not item]
    return list(kept.values()), twice


def nearly(box: Box) -> tuple[float, ...]:
    """Return a box to a millionth of its image: what computing the same edge in another way may differ by."""
    return tuple(round(edge, 6) for edge in (box.x0, box.y0, box.x1, box.y1))


def part_wrong(found: Iterable[PhraseBoxes | Wrong]) -> tuple[list[PhraseBoxes], list[LeftOut]]:
    """Return the phrases of a known data set, and the wrong rows as what is left out.

    Raises:
        DataError: there are more than `TOLERATED` wrong ones.
    """
    phrases, wrong = [], []
    for each in found:
        if isinstance(each, Wrong):
            wrong.append(each)
        else:
            phrases.append(each)
    if len(wrong) > max(1, TOLERATED * len(phrases)):
        first = wrong[0]
        raise DataError(
            f"{first.place}: {first.fault.reason}; in all {len(wrong):,} wrong rows,"
            f" {len(phrases):,} right phrases",
            found=first.fault.found,
            remedy="check that this is the published file, and that its images belong to it",
        )
    return phrases, [LeftOut(row.place, row.fault.reason, row.fault.found) for row in wrong]


def _pixels(row: BoxRow, at: ImageSizes, scaled_images: bool) -> Size:
    """Return the size that the row's pixels are counted in."""
    found = at.pixels(row.size, scaled_images)
    if isinstance(found, Fault):
        raise found.error(f"{row.place}, image {row.image}")
    return found
