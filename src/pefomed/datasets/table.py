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

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pefomed import tasks
from pefomed.annotations.table_masks import with_files
from pefomed.datasets import table_splits
from pefomed.datasets.box_columns import BoxColumns
from pefomed.datasets.card import DataCard
from pefomed.datasets.table_boxes import with_boxes
from pefomed.errors import DataError
from pefomed.files.format import Format
from pefomed.files.tables import stem_of
from pefomed.mapping import rows as mapped
from pefomed.mapping.cells import has
from pefomed.mapping.columns import Columns
from pefomed.mapping.images import ImageColumns
from pefomed.mapping.parallel import phrase_rows
from pefomed.mapping.rows import Draft, Placed, RowReading
from pefomed.mapping.skip import NOTHING, Rules, Skip, columns_of
from pefomed.mapping.source import columns_in
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample, TaskName

__all__ = ["CARD", "Columns", "load", "read", "splits"]

CARD = DataCard(title="A table of one's own", licence="the owner's", link="", citation="")


def load(
    root: Path,
    split: str,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    task: TaskName = "vqa",
    boxes: BoxColumns | None = None,
    skip: Skip = NOTHING,
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
        columns: which column holds what, each a source: a column, a path, a template, a constant, ...
        task: the task of every row, unless `columns.task` names a column or there are boxes.
        boxes: which columns hold boxes and what their numbers are; its `tasks` are what is asked.
        skip: which rows are left out and counted: `empty answer`, `empty question`, `no image`,
            `missing image`, `no box`, `wrong box`, or values of a column, `{ column = "Target", is = 0 }`
            or `is_not`.
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
        # Rows of two splits may ask the same.
        ids = ContentIds(f"{stem}-{split}" if column else stem)
        pictures = ImageColumns(path.parent / images, separator, view)
        how = RowReading(ids, stem, pictures, columns, "refer" if boxes else task, numbers_as_text, skip)
        yield from read([(how, rows)], columns, boxes, skip)


def read(
    files: Iterable[tuple[RowReading, Iterable[Placed]]],
    columns: Columns,
    boxes: BoxColumns | None,
    skip: Rules,
) -> Iterator[Sample | LeftOut]:
    """Yield the samples of the rows of one or more files, which belong together; each is read when it comes.

    Raises:
        DataError: see `load`.
    """
    if boxes is None:
        yield from _without_boxes(mapped.drafts(files))
        return
    if columns.group_by is not None:
        raise DataError(
            "the options `boxes` and `columns.group_by` do not go together: boxes are of one image",
            remedy="leave one of them away",
        )
    beside = [*columns.meta.values(), columns.answer, columns.task, *columns_of(skip), boxes.mask]
    own_id = columns.id if columns.id is not None else "id"
    asked = [columns.question, boxes.category, boxes.reader]
    parts = (
        (
            replace(how, category=boxes.category, reader=boxes.reader if boxes.readers == "apart" else None),
            _masked(
                phrase_rows(rows, boxes.columns, asked, beside, own_id if isinstance(own_id, str) else ""),
                boxes,
                how,
            ),
        )
        for how, rows in files
    )
    yield from with_boxes(mapped.drafts(parts), boxes, columns.task is None, skip)


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

    def fits(header: Mapping[str, Any]) -> bool:
        images = any(has(header, source) for _, source in columns.images)
        texts = (columns.question, columns.answer)
        return images and any(has(header, source) for source in texts if any(columns_in(source)))

    form = Format(delimiter=delimiter, header=header, sheet=sheet, records=records, encoding=encoding)
    return table_splits.splits_of(root, columns.split, only_split, form, fits)


def _masked(
    rows: Iterable[Placed | LeftOut], boxes: BoxColumns, how: RowReading
) -> Iterable[Placed | LeftOut]:
    return rows if boxes.mask is None else with_files(rows, boxes.mask, how.pictures)


def _without_boxes(found: Iterable[Draft | LeftOut]) -> Iterator[Sample | LeftOut]:
    for each in found:
        if isinstance(each, LeftOut):
            yield each
            continue
        place, sample, _ = each
        if sample.task in tasks.HAVE_BOXES:
            raise DataError(
                f"{place}: the task {sample.task!r} needs boxes",
                remedy="say in the option `boxes` which columns hold them",
            )
        yield sample
