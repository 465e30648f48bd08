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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from pefomed.boxes import tasks
from pefomed.checked import Checked
from pefomed.data import table_cells, table_references
from pefomed.data.card import Card
from pefomed.data.owners import owners_of
from pefomed.data.readers.rows import SUFFIXES, read_table
from pefomed.data.readers.shards import seems_split
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
    id: str | None = None
    """By default samples are numbered by row."""
    task: str | None = None
    """By default the option `task`."""
    split: str | None = None
    """By default the file's name, or the option `only_split`, is the split."""
    meta: tuple[str, ...] = ()
    """Columns to group results by. What names patients or studies is audited without being among them."""


def load(
    root: Path,
    split: str,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    task: Task = "vqa",
    boxes: BoxColumns | None = None,
    only_split: str = "train",
    images: str = ".",
    separator: str = ";",
    view: str = "",
    delimiter: str | None = None,
    numbers_as_text: bool = False,
) -> Iterator[Sample]:
    """Yield the samples of `split`.

    Args:
        columns: which column holds what.
        task: the task of every row, unless `columns.task` names a column or there are boxes.
        boxes: which columns hold boxes and what their numbers are; its `tasks` are what is asked.
        only_split: the split that a single file without a split column is.
        images: folder of the images, relative to the table's folder, or absolute.
        separator: what stands between several image paths in one cell.
        view: frame, slice or window of every image that does not say its own, e.g. `window=lung`.
        delimiter: what stands between cells; by default found from the first rows.
        numbers_as_text: take an answer that is a number as its text, instead of refusing it.

    Raises:
        DataError: a file is missing, not UTF-8 or malformed, a column is absent, or an answer is
            empty or a number; the file and the line are named.
    """
    path = _file_of(root, split, columns, only_split)
    folder = path.parent / images
    drafts = _drafts(
        _of_split(path, split, columns, delimiter),
        path.stem, folder, columns, "refer" if boxes else task, separator, view, numbers_as_text,
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
    only_split: str = "train",
    delimiter: str | None = None,
    **_: Any,
) -> dict[str, int]:
    """Return the splits of the table, each with its rows; options and errors are those of `load`."""
    if root.is_dir():
        files = (path for path in sorted(root.iterdir()) if path.suffix.lower() in SUFFIXES)
        named = {path.stem: path for path in files if seems_split(path.stem)}
        return {stem: sum(1 for _ in read_table(path, delimiter)) for stem, path in named.items()}
    rows = read_table(root, delimiter)
    if columns.split is None:
        return {only_split: sum(1 for _ in rows)}
    return dict(Counter(table_cells.text(row, columns.split, place) for place, row in rows))


def _of_split(
    path: Path, split: str, columns: Columns, delimiter: str | None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield number, place and cells of the rows of `split`."""
    found: Counter[str] = Counter()
    for number, (place, row) in enumerate(read_table(path, delimiter), 1):
        if columns.split is not None:
            row_split = table_cells.text(row, columns.split, place)
            found[row_split] += 1
            if row_split != split:
                continue
        yield number, place, row
    if found and split not in found:
        counts = ", ".join(f"{name!r} ({count})" for name, count in sorted(found.items()))
        raise DataError(
            f"{path}: no row of the split {split!r}",
            found=f"column {columns.split!r} holds {counts}",
            remedy="use one of these splits, or correct the column",
        )


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
            if not looked:
                _name_lookalikes(row, columns, stem)
                looked = True
        sample = Sample(
            id=f"{stem}-{number}" if columns.id is None else table_cells.filled(row, columns.id, place),
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


def _file_of(root: Path, split: str, columns: Columns, only_split: str) -> Path:
    if root.is_dir():
        files = sorted(path for path in root.iterdir() if path.suffix.lower() in SUFFIXES)
        matching = [path for path in files if path.stem == split]
        if len(matching) == 1:
            return matching[0]
        raise DataError(
            f"{root} needs exactly one table for the split {split!r}",
            found=", ".join(path.name for path in matching or files) or "no table",
            remedy=f"name it {split}.csv, {split}.tsv or {split}.jsonl",
        )
    if columns.split is None and split != only_split:
        raise DataError(
            f"{root} has no split {split!r}: without a split column the whole file is {only_split!r}",
            remedy="name its split column in `columns.split`, set `only_split`,"
            " or give a folder with one file per split",
        )
    return root


def _task(text: str, place: str) -> Task:
    known = typing.get_args(Task)
    if text not in known:
        raise DataError(f"{place}: unknown task {text!r}", remedy=nearest(text, known))
    return typing.cast(Task, text)
