"""The rows of a user's table as samples, boxes left aside: which column holds what, and what a row asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pefomed import tasks
from pefomed.errors import DataError, nearest
from pefomed.mapping import cells, choices, images, references
from pefomed.mapping.columns import Columns
from pefomed.mapping.images import ImageColumns
from pefomed.mapping.skip import NOTHING, Rules, Unusable
from pefomed.mapping.source import AnySource
from pefomed.mapping.study import Groups, StudyRow
from pefomed.progress import note
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.samples.owners import owners_of
from pefomed.schema import Sample, TaskName

Placed = tuple[str, Mapping[str, Any]]
"""Place and cells of a row."""

Draft = tuple[str, Sample, Mapping[str, Any]]
"""Place, the row's sample without boxes, its cells."""

WITHOUT_QUESTION = ("caption", "report", "grounding")


@dataclass(frozen=True)
class RowReading:
    """How the rows of a file are read."""

    ids: ContentIds
    """Gives ids where no column does."""
    stem: str
    """The file's name, for notes."""
    pictures: ImageColumns
    columns: Columns
    task: TaskName
    numbers_as_text: bool
    skip: Rules = NOTHING
    category: AnySource | None = None
    """The column of a box's category."""
    reader: AnySource | None = None
    """The column of who drew a box, if each reader's boxes are a sample."""
    noted: set[str] = field(default_factory=set)
    """Of which files it was said what is not used."""


def drafts(files: Iterable[tuple[RowReading, Iterable[Placed | LeftOut]]]) -> Iterator[Draft | LeftOut]:
    """Yield place, sample without boxes and cells of each row or group of rows, and what is left out.

    Args:
        files: the rows of each, and how they are read; groups go over all of them.

    Raises:
        DataError: a column is absent, or a cell is empty or not what it should be; the place is named.
    """
    groups = Groups()
    for how, rows in files:
        for each in rows:
            if isinstance(each, LeftOut):
                yield each
                continue
            place, row = each
            try:
                if gone := how.skip.of_row(row, place):
                    yield gone
                elif how.columns.group_by is None:
                    yield _draft(part_of(row, place, how), how)
                else:
                    groups.add(part_of(row, place, how), how.columns)
            except Unusable as error:
                if error.kind not in how.skip:
                    raise
                yield LeftOut(place, error.kind)
    for found in groups.samples(how.columns, how.skip) if groups else ():
        yield found if isinstance(found, LeftOut) else _draft(found, how)


def part_of(row: Mapping[str, Any], place: str, how: RowReading) -> StudyRow:
    """Return what a row says.

    Raises:
        DataError: see `drafts`.
    """
    columns = how.columns
    task = how.task if columns.task is None else task_of(cells.text(row, columns.task, place), place)
    lacks = None
    try:
        asked, question, answers = _texts(row, place, task, how)
    except Unusable as error:
        if columns.group_by is None:
            raise
        lacks, asked, question, answers = error, "", "", ("",)  # another row of the group may say it
    if task not in tasks.ON_PHRASES and columns.truth and how.stem not in how.noted:
        how.noted.add(how.stem)
        _name_lookalikes(row, columns, how.stem)
    pictures = how.pictures.of(row, columns.images, place)
    if not pictures:
        raise images.no_image(columns.images, place)
    if "missing image" in how.skip and (absent := images.missing_image([each.path for each in pictures])):
        raise Unusable(f"{place}: no image at {absent}", "missing image", "copy it there")
    source, written = columns.image, [each.name for each in pictures]
    if isinstance(source, str) and source in row:
        written = how.pictures.written(row[source], pictures)
    return StudyRow(
        place, row, task, asked, question, answers, pictures,
        written=written,
        meta={name: cells.text(row, source, place) for name, source in columns.meta.items()},
        owners=owners_of(row, columns.meta),
        lacks=lacks,
    )  # fmt: skip


def task_of(text: str, place: str) -> TaskName:
    """Return the task that a cell names.

    Raises:
        DataError: there is none of this name.
    """
    if text not in tasks.TASKS:
        raise DataError(f"{place}: unknown task {text!r}", remedy=nearest(text, tasks.TASKS))
    return text


def answer_sources(columns: Columns, row: Mapping[str, Any]) -> tuple[AnySource, ...]:
    """Return the sources of the right answers, the first of them that of training."""
    further: tuple[str, ...] | None = columns.further
    if further is None:
        further = references.numbered_columns(columns.truth, row) if isinstance(columns.truth, str) else ()
    return (columns.truth, *(name for name in further if name not in columns.meta))


def _texts(
    row: Mapping[str, Any], place: str, task: TaskName, how: RowReading
) -> tuple[str, str, tuple[str, ...]]:
    """Return what a row asks as the table has it, its question, and its answers."""
    columns = how.columns
    asked = (
        ""
        if task in WITHOUT_QUESTION
        else cells.question_text(row, columns.question, place, columns.joined_by)
    )
    if task in tasks.ABOUT_BOXES:
        return asked, "", (asked,)
    if task in tasks.BOXES or not columns.truth:
        return asked, asked, ("",)
    answers = cells.answers(
        row, answer_sources(columns, row), columns.separator, place, how.numbers_as_text, columns.joined_by
    )
    _name_doubts(answers, columns, how)
    question = asked
    if columns.choices and asked:
        question = choices.with_choices(asked, row, columns.choices, place)
    elif asked:
        choices.check_choices(asked, answers[0], row, place)
    return asked, question, answers


def _name_lookalikes(row: Mapping[str, Any], columns: Columns, stem: str) -> None:
    """Say which columns are not read and look like further references."""
    used = {*columns.used(), *(name for name in answer_sources(columns, row) if isinstance(name, str))}
    alike = references.lookalikes(row, used)
    if alike:
        how = f"`columns.further = [{', '.join(map(repr, alike))}]` uses them"
        note(references.lookalike_note(stem, alike, how))


def _name_doubts(answers: tuple[str, ...], columns: Columns, how: RowReading) -> None:
    """Say once of a file that answers may be several in one cell, or something else than text."""
    parts = '`columns.separator = "{}"` parts them'
    for kind in ("joined", "marked"):
        if f"{how.stem}: {kind}" in how.noted or (kind == "joined" and columns.separator):
            continue
        joined = kind == "joined"
        said = (
            references.joined_note(how.stem, answers, parts)
            if joined
            else references.marked_note(how.stem, answers)
        )
        if said:
            how.noted.add(f"{how.stem}: {kind}")
            note(said)


def _draft(part: StudyRow, how: RowReading) -> Draft:
    sample = Sample(
        id=_id(part, how),
        images=tuple(each.path for each in part.pictures),
        task=part.task,
        question=part.question,
        reference=part.answers[0],
        further_references=part.answers[1:],
        meta={**images.roles_of(part.pictures), **part.meta},
        owners=part.owners,
    )
    return part.place, sample, part.row


def _id(part: StudyRow, how: RowReading) -> str:
    columns, row = how.columns, part.row
    source = columns.id if columns.id is not None else "id" if "id" in row else ""
    if source:
        found = cells.text(row, source, part.place, joined_by=columns.joined_by)
        if not found:
            raise DataError(
                f"{part.place}: column {cells.said(source)!r} is empty",
                remedy='fill it in, or take no column: `columns.id = ""`',
            )
        return found
    category = _told(row, how.category, part.place) if how.category else ""
    reader = (_told(row, how.reader, part.place),) if how.reader else ()
    return how.ids(part.written, part.task, part.asked, category, *reader)


def _told(row: Mapping[str, Any], source: AnySource, place: str) -> str:
    return str(cells.cell(row, source, place, "boxes") or "").strip()
