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

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.boxes import tasks
from pefomed.data import table_cells
from pefomed.data.card import Card
from pefomed.data.content_ids import ContentIds
from pefomed.data.readers.rows import SUFFIXES, read_table
from pefomed.data.readers.shards import seems_split
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
    # Rows of two splits may ask the same.
    stem = path.stem if columns.split is None else f"{path.stem}-{split}"
    how = Reading(
        ContentIds(stem), path.stem, path.parent / images, columns, "refer" if boxes else task,
        numbers_as_text, boxes.category if boxes else None, separator, view,
    )  # fmt: skip
    if boxes is not None:
        found = drafts(_of_split(path, split, columns, delimiter), how)
        yield from with_boxes(found, boxes, several_tasks=columns.task is None)
    else:
        yield from load_file(path, split, how, delimiter)


def load_file(path: Path, split: str, how: Reading, delimiter: str | None = None) -> Iterator[Sample]:
    """Yield the samples of the rows of `split` in one file; there are no boxes.

    Raises:
        DataError: see `load`.
    """
    for place, sample, _ in drafts(_of_split(path, split, how.columns, delimiter), how):
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
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and cells of the rows of `split`."""
    found: Counter[str] = Counter()
    for place, row in read_table(path, delimiter):
        if columns.split is not None:
            row_split = table_cells.text(row, columns.split, place)
            found[row_split] += 1
            if row_split != split:
                continue
        yield place, row
    if found and split not in found:
        counts = ", ".join(f"{name!r} ({count})" for name, count in sorted(found.items()))
        raise DataError(
            f"{path}: no row of the split {split!r}",
            found=f"column {columns.split!r} holds {counts}",
            remedy="use one of these splits, or correct the column",
        )


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
