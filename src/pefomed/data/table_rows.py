"""The rows of a user's table as samples, boxes left aside: which column holds what, and what a row asks."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from pefomed.boxes import tasks
from pefomed.checked import Checked
from pefomed.data import table_cells, table_choices, table_references
from pefomed.data.content_ids import ContentIds
from pefomed.data.owners import owners_of
from pefomed.data.readers.unpacked import ImageFile, image_of
from pefomed.data.table_boxes import Draft
from pefomed.errors import DataError, nearest
from pefomed.progress import note
from pefomed.schema import Sample, Task

_WITHOUT_QUESTION = ("caption", "report", "grounding")
_CONTENT_NAME = 64  # digits


class Columns(Checked):
    """Which column holds what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field("image", min_length=1)
    """The image, or several of them with the option `separator` between."""
    question: str = Field("question", min_length=1)
    """The question, or the phrase that has boxes. Not read for captions and reports."""
    answer: str = "answer"
    """The reference; empty if the table has none, and is for prediction only."""
    further: tuple[str, ...] | None = None
    """Columns with further right answers; by default `answer_2`, `answer_3` and so on. A list in a cell holds
    several, too. Training uses the first."""
    separator: str = ""
    """What stands between several answers in one cell; by default a cell is one."""
    id: str | None = None
    """By default the column `id`, if there is one, or else a hash of image, task and question
    (`content_ids`): rows may be sorted and removed. `""` takes no column."""
    choices: tuple[str, ...] = ()
    """Columns with the choices of a question, or the one with a list of them: they are put behind it."""
    task: str | None = None
    """By default the option `task`."""
    split: str | None = None
    """By default the column `split`, if a single file has one and `only_split` is not said; or else the
    file's name, or `only_split`, is the split. `""` takes none. If named, all tables of a folder are read."""
    meta: tuple[str, ...] = ()
    """Columns to group results by. What names patients or studies is audited without being among them."""


@dataclass(frozen=True)
class Reading:
    """How the rows of a file are read."""

    ids: ContentIds
    """Gives ids where no column does."""
    stem: str
    """The file's name, for notes."""
    folder: Path
    """Of the images."""
    columns: Columns
    task: Task
    numbers_as_text: bool
    category: str | None = None
    """The column of a box's category."""
    reader: str | None = None
    """The column of who drew a box, if each reader's boxes are a sample."""
    separator: str = ";"
    view: str = ""


def drafts(rows: Iterable[tuple[str, dict[str, Any]]], how: Reading) -> Iterator[Draft]:
    """Yield place, sample without boxes and cells of each row.

    Raises:
        DataError: a column is absent, or a cell is empty or not what it should be; the place is named.
    """
    columns = how.columns
    looked = False
    for place, row in rows:
        task = how.task if columns.task is None else _task(table_cells.text(row, columns.task, place), place)
        question = ""
        answers: tuple[str, ...] = ("",)
        if task not in _WITHOUT_QUESTION:
            question = table_cells.filled(row, columns.question, place)
        asked = question
        if task == tasks.IDENTIFY:
            question, answers = "", (question,)
        elif task not in tasks.ASKED and columns.answer:
            answers = table_cells.answers(
                row, _answer_columns(columns, row), columns.separator, place, how.numbers_as_text
            )
            if columns.choices and question:
                question = table_choices.with_choices(question, row, columns.choices, place)
            elif question:
                table_choices.check_choices(question, answers[0], row, place)
            if not looked:
                _name_lookalikes(row, columns, how.stem)
                looked = True
        images = table_cells.images(row, columns.image, place, how.folder, how.separator, how.view)
        sample = Sample(
            id=_id(row, place, task, asked, how),
            images=images,
            task=task,
            question=question,
            reference=answers[0],
            further_references=answers[1:],
            meta={name: table_cells.text(row, name, place) for name in columns.meta},
            owners=owners_of(row, columns.meta),
        )
        yield place, sample, row


def _id(row: Mapping[str, Any], place: str, task: str, asked: str, how: Reading) -> str:
    column = how.columns.id if how.columns.id is not None else "id" if "id" in row else ""
    if column:
        return table_cells.filled(row, column, place)
    category = str(row.get(how.category) or "").strip() if how.category else ""
    reader = (str(row.get(how.reader) or "").strip(),) if how.reader else ()
    image = image_of(row[how.columns.image], place)
    return how.ids(_named(image, how.folder), task, asked, category, *reader)


def _named(image: Any, folder: Path) -> Any:
    """Return a cell of images as it is written; of images inside the file their content's names."""
    if isinstance(image, list):
        return [_named(one, folder) for one in image]
    if not isinstance(image, ImageFile):
        return image.strip() if isinstance(image, str) else image
    path, here = Path(image), folder.absolute()
    # Wherever the cache and the data lie; in the cache files are named by what they hold.
    is_outside = len(path.stem) != _CONTENT_NAME and path.is_relative_to(here)
    return path.relative_to(here).as_posix() if is_outside else path.name


def _answer_columns(columns: Columns, row: Mapping[str, Any]) -> tuple[str, ...]:
    further = columns.further
    found = table_references.numbered(columns.answer, row) if further is None else further
    return (columns.answer, *(name for name in found if name not in columns.meta))


def _name_lookalikes(row: Mapping[str, Any], columns: Columns, stem: str) -> None:
    """Say which columns are not read and look like further references."""
    used = (*_answer_columns(columns, row), *columns.meta, columns.question, columns.image)
    alike = table_references.lookalikes(row, used)
    if alike:
        how = f"`columns.further = [{', '.join(map(repr, alike))}]` uses them"
        note(table_references.lookalike_note(stem, alike, how))


def _task(text: str, place: str) -> Task:
    known = typing.get_args(Task)
    if text not in known:
        raise DataError(f"{place}: unknown task {text!r}", remedy=nearest(text, known))
    return typing.cast(Task, text)
