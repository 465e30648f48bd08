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

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from pefomed.boxes import tasks
from pefomed.data import table_splits
from pefomed.data.card import Card
from pefomed.data.content_ids import ContentIds
from pefomed.data.left_out import LeftOut
from pefomed.data.readers.format import Format
from pefomed.data.readers.tables import stem_of
from pefomed.data.table_boxes import BoxColumns, with_boxes
from pefomed.data.table_rows import Columns, Reading, drafts
from pefomed.errors import DataError
from pefomed.schema import Sample, Task

__all__ = ["CARD", "Columns", "load", "load_file", "splits"]

CARD = Card(title="A table of one's own", licence="the owner's", link="", citation="")


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
    header: tuple[str, ...] = (),
    sheet: str | None = None,
    records: str | None = None,
    encoding: str | None = None,
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
        delimiter, header, sheet, records, encoding: how the file is read where it does not say so itself;
            see `Format`.
        numbers_as_text: take an answer that is a number as its text, instead of refusing it.

    Raises:
        DataError: a file is missing, not UTF-8 or malformed, a column is absent, or an answer is
            empty or a number; the file and the line are named.
    """
    form = Format(delimiter=delimiter, header=header, sheet=sheet, records=records, encoding=encoding)
    for path, column, rows in table_splits.rows_of(root, split, columns.split, only_split, form):
        stem = stem_of(path)
        how = Reading(
            # Rows of two splits may ask the same.
            ContentIds(f"{stem}-{split}" if column else stem), stem, path.parent / images, columns,
            "refer" if boxes else task, numbers_as_text, boxes.category if boxes else None,
            boxes.reader if boxes and boxes.readers == "apart" else None, separator, view,
        )  # fmt: skip
        if boxes is not None:
            yield from with_boxes(drafts(rows, how), boxes, several_tasks=columns.task is None)
        else:
            yield from _without_boxes(rows, how)


def load_file(path: Path, split: str, how: Reading) -> Iterator[Sample]:
    """Yield the samples of the rows of `split` in one file; there are no boxes.

    Raises:
        DataError: see `load`.
    """
    for _, _, rows in table_splits.rows_of(path, split, how.columns.split, split, Format()):
        yield from _without_boxes(rows, how)


def splits(
    root: Path,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    only_split: str | None = None,
    delimiter: str | None = None,
    header: tuple[str, ...] = (),
    sheet: str | None = None,
    records: str | None = None,
    encoding: str | None = None,
    **_: Any,
) -> dict[str, int]:
    """Return the splits as the table calls them, each with its rows; options and errors as of `load`."""

    def fits(header: Collection[str]) -> bool:
        return columns.image in header and (columns.answer in header or columns.question in header)

    form = Format(delimiter=delimiter, header=header, sheet=sheet, records=records, encoding=encoding)
    return table_splits.splits_of(root, columns.split, only_split, form, fits)


def _without_boxes(rows: Iterable[table_splits.Placed], how: Reading) -> Iterator[Sample]:
    for place, sample, _ in drafts(rows, how):
        if sample.task in tasks.ALL:
            raise DataError(
                f"{place}: the task {sample.task!r} needs boxes",
                remedy="say in the option `boxes` which columns hold them",
            )
        yield sample
