"""Samples of a file of boxes: what all loaders of such files do with the rows that they have read.

All boxes of a phrase in an image are one sample's; a box that is given twice counts once; those of several
readers are taken as the recipe says. Sorting and deleting records keeps the ids: they are hashes of what is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

from pydantic import PlainValidator

from pefomed.annotations.absent_phrases import Undrawn, not_identified, undrawn
from pefomed.annotations.box_frames import frame_of
from pefomed.annotations.box_numbers import Form, Unit
from pefomed.annotations.box_readers import FUSION_IOU, META, Choice, check_one_reader, fuse_boxes
from pefomed.annotations.box_rows import NO_PHRASE, BoxRow, PhraseBoxes, Wrong, merge_boxes, without_repeats
from pefomed.annotations.box_tasks import BoxTask, is_chosen, samples_of
from pefomed.annotations.segmentations import EMPTY, NO_BOX
from pefomed.errors import DataError
from pefomed.images.addresses import address
from pefomed.mapping.paths import ABSENT, at
from pefomed.mapping.skip import NOTHING, Kind, Rules, Unusable, Where, columns_of, rules_of
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Mask, Outline, Sample
from pefomed.tasks import BOXES

KINDS: tuple[Kind, ...] = ("no box", "wrong box", "missing image", "empty question")

Skip = Annotated[Rules, PlainValidator(partial(rules_of, kinds=KINDS))]
"""Which records of a file of boxes are left out."""

Masks = tuple[Mask | Outline, ...]

BARE = "an image without annotations"
"""Why an image is left out that nothing was drawn on."""


@dataclass(frozen=True)
class Making:
    """What is made of the rows of a file."""

    tasks: tuple[BoxTask, ...] = ("refer",)
    boxes: Literal["all", "one", "several"] = "all"
    form: Form = "xywh"
    unit: Unit = "pixel"
    """Of rows that do not say their own."""
    scaled_images: bool = False
    reader: str | None = None
    """The field that says who drew a box; empty for none, None if nobody has said."""
    readers: Choice | None = None
    fusion_iou: float = FUSION_IOU
    without: Undrawn = "left out"
    skip: Rules = NOTHING

    def __post_init__(self) -> None:
        """Check that both options of readers are said, or none.

        Raises:
            DataError: one is.
        """
        if bool(self.reader) != (self.readers is not None):
            raise DataError("`reader` needs `readers` ('apart' or 'fused'), and the other way round")


def box_samples(
    rows: Iterable[BoxRow],
    stem: str,
    making: Making,
    images: Iterable[BoxRow] = (),
    categories: Iterable[str] = (),
    there: Iterable[BoxRow] = (),
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and phrase, and the boxes that are given twice.

    Args:
        stem: what ids begin with: the names of the data set and the split.
        images: a row without phrase and box for each image that is left out because nothing is drawn on it,
            or of which `making.without` asks for what is not drawn.
        categories: what might be drawn, beside what is.
        there: what is in an image and has no box that can be used (points, parts too small).

    Raises:
        DataError: a box, a phrase or an image is wrong, or several readers drew a phrase and nothing says
            what is to be done with them; the row is named.
    """
    apart = making.readers == "apart"
    if making.without == "left out":
        yield from (LeftOut(row.place, BARE) for row in images)
    kept, rows = [], [*rows]
    for each in _kept(rows, making.skip):
        if isinstance(each, LeftOut):
            yield each
        else:
            kept.append(each)
    found = merge_boxes(kept, making.form, making.unit, scaled_images=making.scaled_images, apart=apart)
    # A phrase of an image is there once: whatever else the file holds, and in which order, its id stays.
    ids = ContentIds(stem)
    for phrase in found:
        if isinstance(phrase, Wrong):
            yield _wrong(phrase, making.skip)
            continue
        first = phrase.first
        name = ids(first.name, first.category, first.phrase, *([first.reader] if apart else ()))
        if making.reader is None:
            check_one_reader([(row.place, row.fields) for row in phrase.rows], "")
        drawn, twice = without_repeats(phrase)
        yield from (LeftOut(place, "a box given twice") for place in twice)
        # Of all rows: masks with the same box need not be the same.
        yield from _samples(_fused(drawn, making), name, making, _masks(phrase, making))
    if making.without != "left out" and making.boxes == "all":
        asked = []
        for image in images:
            left = _of_image(image, making.skip)
            if left is None:
                asked.append(image)
            else:
                yield left
        # What a rule leaves out is in its image all the same.
        for row in undrawn(kept, asked, categories, (*rows, *there)):
            nothing = PhraseBoxes(row, frame_of(row.image).shown, (), ())
            yield from _samples(nothing, ids(row.name, row.category, row.phrase), making)
            yield from not_identified(row.place, (), making.tasks)


def _kept(rows: list[BoxRow], skip: Rules) -> Iterator[BoxRow | LeftOut]:
    """Yield the rows, those that a rule leaves out as such.

    Raises:
        DataError: a rule is about a field that no row has.
    """
    # A field that some rows lack is empty there: programs leave out what is not set.
    optional = [
        column for column in columns_of(skip) if any(at(row.fields, column) is not ABSENT for row in rows)
    ]
    for row in rows:
        lacks = {column: "" for column in optional if at(row.fields, column) is ABSENT}
        if left := skip.of_row({**row.fields, **lacks}, row.place):
            yield left
        elif not row.phrase and "empty question" in skip:
            yield LeftOut(row.place, "empty question")
        elif row.fault in (EMPTY, NO_BOX) and "no box" in skip:
            yield LeftOut(row.place, "no box")
        elif "missing image" in skip and not address(row.image).file.is_file():
            yield LeftOut(row.place, "missing image", str(row.image))
        else:
            yield row


def _of_image(image: BoxRow, skip: Rules) -> LeftOut | None:
    """Return that an image is left out: its file is missing, or a rule is about a field that it has."""
    if "missing image" in skip and not address(image.image).file.is_file():
        return LeftOut(image.place, "missing image", str(image.image))
    own = (rule for rule in skip if isinstance(rule, Where) and at(image.fields, rule.column) is not ABSENT)
    return Rules(own).of_row(image.fields, image.place)


def _wrong(row: Wrong, skip: Rules) -> LeftOut:
    """Return that a row is left out; its phrase is, too: without all of its boxes it would be scored wrongly.

    Raises:
        Unusable: no rule says so.
    """
    if "wrong box" in skip and row.fault.reason != NO_PHRASE:
        return LeftOut(row.place, row.fault.reason, row.fault.found)
    kind: Kind = "wrong box"
    if row.fault.reason == NO_PHRASE:
        kind = "empty question"
    elif row.fault in (EMPTY, NO_BOX):
        kind = "no box"
    raise Unusable(f"{row.place}: {row.fault.reason}", kind, row.fault.remedy, found=row.fault.found)


def _fused(phrase: PhraseBoxes, making: Making) -> PhraseBoxes:
    if making.readers != "fused":
        return phrase
    drawn = zip((row.reader for row in phrase.rows), phrase.boxes, strict=True)
    return replace(phrase, boxes=fuse_boxes(drawn, making.fusion_iou))


def _masks(phrase: PhraseBoxes, making: Making) -> Masks:
    """Return what the phrase names; nothing if some of it is not known, or it is of several readers."""
    if making.readers == "fused":
        return ()
    masks = dict.fromkeys(row.mask for row in phrase.rows)
    found = tuple(mask for mask in masks if mask is not None)
    return found if len(found) == len(masks) else ()


def _samples(phrase: PhraseBoxes, name: str, making: Making, masks: Masks = ()) -> Iterator[Sample]:
    first = phrase.first
    if not is_chosen(phrase.boxes, making.boxes):
        return
    meta = {META: first.reader} if making.readers == "apart" else {}
    for sample in samples_of(
        name, str(first.image), phrase.size, first.phrase, phrase.boxes,
        {"category": first.category, **(first.meta or {}), **meta}, making.tasks,
    ):  # fmt: skip
        own = masks if sample.task in BOXES else ()
        yield sample.model_copy(update={"owners": dict(first.owners), "masks": own})
