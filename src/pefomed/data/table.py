"""A table of one's own: CSV, TSV, JSON, JSON Lines or Parquet with a column map in the recipe.

Link, licence, counts: the owner's. Layout: `root` is either one file, or a folder with one file per
split (`train.csv`, `validate.csv`, `test.csv`). Image paths stay in the table's folder, or in `images`.

One record::

    image,question,answer,split,patient
    scans/0001.png,Is there a fracture?,yes,train,p17

with, in the recipe::

    [data.mine]
    loader = "table"
    root = "mine/questions.csv"
    options.columns = { image = "image", question = "question", answer = "answer",
                        split = "split", meta = ["patient"] }

Several images of one question stand in one cell, separated by `;` (in JSON Lines also as a list).

With boxes the question is the phrase, and the recipe says what the numbers are::

    image,phrase,x,y,w,h
    scans/0001.png,left basal opacity,1601,1492,771,652

    options = { columns = { question = "phrase" },
                boxes = { columns = ["x", "y", "w", "h"], form = "xywh", unit = "pixel" } }
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from pefomed.boxes import tasks
from pefomed.checked import Checked
from pefomed.data import table_cells, table_choices, table_references, table_splits
from pefomed.data.card import Card
from pefomed.data.left_out import LeftOut
from pefomed.data.owners import owners_of
from pefomed.data.table_boxes import BoxColumns, Draft, with_boxes
from pefomed.errors import DataError, nearest
from pefomed.progress import note
from pefomed.schema import Sample, Task

_WITHOUT_QUESTION = ("caption", "report", "grounding")

CARD = Card(title="A table of one's own", licence="the owner's", link="", citation="")


class Columns(Checked):
    """Which column holds what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field("image", min_length=1)
    question: str = Field("question", min_length=1)
    """The question, or the phrase that has boxes. Not read for captions and reports."""
    answer: str = "answer"
    """The reference; empty if the table has none, and is for prediction only."""
    further: tuple[str, ...] | None = None
    """Columns with further right answers; by default `answer_2`, `answer_3` and so on. A list in a cell holds
    several, too. Training uses the first."""
    separator: str = ""
    """What stands between several answers in one cell; by default a cell is one."""
    choices: tuple[str, ...] = ()
    """Columns with the choices of a question, or the one with a list of them: they are put behind it."""
    id: str | None = None
    """By default the column `id`, if there is one, or else samples are numbered by row; `""` takes none."""
    task: str | None = None
    """By default the option `task`."""
    split: str | None = None
    """By default the column `split`, if a single file has one and `only_split` is not said; or else the
    file's name, or `only_split`, is the split. `""` takes none. If named, all tables of a folder are read."""
    meta: tuple[str, ...] = ()
    """Columns to group results by. What names patients or studies is audited without being among them."""


def load(
    root: Path,
    split: str,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    task: Task = "vqa",
    boxes: BoxColumns | None = None,
    only_split: str | None = None,
    images: str = ".",
    separator: str = ";",
    view: str = "",
    delimiter: str | None = None,
    numbers_as_text: bool = False,
) -> Iterator[Sample | LeftOut]:
    """Yield the samples of `split`, and the boxes that are given twice.

    Args:
        columns: which column holds what.
        task: the task of every row, unless `columns.task` names a column or there are boxes.
        boxes: which columns hold boxes and what their numbers are; its `tasks` are what is asked.
        only_split: the split that a single file is; by default `train`, or what its column `split` says.
        images: folder of the images, relative to the table's folder, or absolute.
        separator: what stands between several image paths in one cell.
        view: frame, slice or window of every image that does not say its own, e.g. `window=lung`.
        delimiter: what stands between cells; by default found from the first rows.
        numbers_as_text: take an answer that is a number as its text, instead of refusing it.

    Raises:
        DataError: a file is missing, not UTF-8 or malformed, a column is absent, or an answer is
            empty or a number; the file and the line are named.
    """
    drafts = (
        draft
        for path, rows in table_splits.rows_of(root, split, columns.split, only_split, delimiter)
        for draft in _drafts(
            rows, table_splits.stem_of(path), path.parent / images, columns, "refer" if boxes else task,
            separator, view, numbers_as_text,
        )
    )  # fmt: skip
    if boxes is not None:
        yield from with_boxes(drafts, boxes, several_tasks=columns.task is None)
        return
    for place, sample, _ in drafts:
        if sample.task in tasks.ALL:
            raise DataError(
                f"{place}: the task {sample.task!r} needs boxes",
                remedy="say in the option `boxes` which columns hold them",
            )
        yield sample


def splits(
    root: Path,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    only_split: str | None = None,
    delimiter: str | None = None,
    **_: Any,
) -> dict[str, int]:
    """Return the splits as the table calls them, each with its rows; options and errors as of `load`."""

    def fits(header: Collection[str]) -> bool:
        return columns.image in header and (columns.answer in header or columns.question in header)

    return table_splits.splits_of(root, columns.split, only_split, delimiter, fits)


def _drafts(
    rows: Iterable[tuple[int, str, dict[str, Any]]],
    stem: str,
    folder: Path,
    columns: Columns,
    task: Task,
    separator: str,
    view: str,
    numbers_as_text: bool,
) -> Iterator[Draft]:
    """Yield place, sample without boxes and cells of each row."""
    looked = False
    for number, place, row in rows:
        row_task = task if columns.task is None else _task(table_cells.text(row, columns.task, place), place)
        question = ""
        answers: tuple[str, ...] = ("",)
        if row_task not in _WITHOUT_QUESTION:
            question = table_cells.filled(row, columns.question, place)
        if row_task == "identify":
            question, answers = "", (question,)
        elif row_task not in tasks.ASKED and columns.answer:
            answers = table_cells.answers(
                row, _answer_columns(columns, row), columns.separator, place, numbers_as_text
            )
            if columns.choices and question:
                question = table_choices.with_choices(question, row, columns.choices, place)
            elif question:
                table_choices.check_choices(question, answers[0], row, place)
            if not looked:
                _name_lookalikes(row, columns, stem)
                looked = True
        # An empty name takes none; a column that is called so is one without being named.
        named = columns.id if columns.id is not None else "id" if "id" in row else ""
        sample = Sample(
            id=table_cells.filled(row, named, place) if named else f"{stem}-{number}",
            images=table_cells.images(row, columns.image, place, folder, separator, view),
            task=row_task,
            question=question,
            reference=answers[0],
            further_references=answers[1:],
            meta={name: table_cells.text(row, name, place) for name in columns.meta},
            owners=owners_of(row, columns.meta),
        )
        yield place, sample, row


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
