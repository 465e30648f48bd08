"""Any Hugging Face data set on this disk: the hub's Parquet files, or a folder written by `datasets`.

Link, licence, counts: the data set's. Layout: `data/train-00000-of-00003.parquet` as on the hub, its
converted branch's `default/train/0000.parquet`, or `train/data-00000-of-00001.arrow` as `save_to_disk`
writes. A single Parquet file is read by `table`.

One record, the image inside the file::

    {"image": {"bytes": b"\\xff\\xd8...", "path": "a.jpg"}, "question": "Which bone?", "answer": "femur"}

with, in the recipe::

    [data.mine]
    loader = "hugging_face"
    root = "mine"
    options.columns = { image = "image", question = "question", answer = "answer", meta = ["organ"] }

Traps: images inside the files are unpacked once to the cache; the hub's name for the validation split
differs (`validation`, `val`, `dev`), all of them are `validate` here; a class number becomes its name only
where the file states the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.datasets import table, table_splits
from pefomed.datasets.box_columns import BoxColumns
from pefomed.datasets.card import DataCard
from pefomed.datasets.hub_splits import column_of, hub_splits, shards_with
from pefomed.errors import DataError, nearest
from pefomed.files.format import Format
from pefomed.files.shards import shards_of, splits_of
from pefomed.files.split_names import meant
from pefomed.mapping.images import ImageColumns
from pefomed.mapping.rows import RowReading
from pefomed.mapping.skip import NOTHING, Skip
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample, TaskName

CARD = DataCard(
    title="Any Hugging Face data set",
    licence="the data set's",
    link="https://huggingface.co/datasets",
    citation="",
    access="`hf download --repo-type dataset OWNER/NAME --local-dir DIR`, or `save_to_disk` of `datasets`",
    files=("data/<split>-*.parquet, or <split>/*.arrow, or the folder of one `Dataset`",),
)


def load(
    root: Path,
    split: str,
    *,
    columns: table.Columns = table.Columns(),  # noqa: B008 - frozen
    task: TaskName = "vqa",
    boxes: BoxColumns | None = None,
    skip: Skip = NOTHING,
    only_split: str | None = None,
    images: str = ".",
    separator: str = ";",
    view: str = "",
    numbers_as_text: bool = False,
) -> Iterator[Sample | LeftOut]:
    """Yield the samples of `split`; a file's own name for it may be `train`, `validation`, `val`, `test`, ...

    Args:
        columns, task, boxes, skip, separator, view, numbers_as_text: as of `table`.
        only_split: the split that all files are, whatever they are called.
        images: folder of images that are not inside the files, relative to the folder of each file.

    Raises:
        DataError: the split is not there, a file is missing or damaged, or a row is wrong; the file and
            the row are named.
    """
    names = splits_of(root)
    column = _column(root, columns, only_split)
    said = None if column or only_split is None else only_split
    if said is not None and not meant(split, [said]):
        raise DataError(
            f"{root} has no split {split!r}: `only_split` is {said!r}", remedy="correct one of them"
        )
    files = [file for name in (names if column or said else [split]) for file in shards_of(root, name)]
    if not files:
        raise DataError(
            f"{root} has no Parquet or Arrow files of the split {split!r}",
            found=f"splits: {', '.join(names)}" if names else "none of any split",
            remedy=nearest(split, names) if names else CARD.access,
        )
    files = shards_with(files, column, split) if column else files
    # One for all: in how many files a split is cut says nothing of its rows.
    ids = ContentIds(split)

    def of(file: Path) -> RowReading:
        pictures = ImageColumns(file.parent / images, separator, view)
        return RowReading(
            ids, file.stem, pictures, columns, "refer" if boxes else task, numbers_as_text, skip
        )

    rows = (
        (of(file), rows)
        for file in files
        for _, _, rows in table_splits.rows_of(file, split, column, split, Format())
    )
    yield from table.read(rows, columns, boxes, skip)


def splits(
    root: Path,
    *,
    columns: table.Columns = table.Columns(),  # noqa: B008 - frozen
    only_split: str | None = None,
    **_: Any,
) -> dict[str, int | None]:
    """Return the splits that there are files of, or that their column says, as they are called."""
    column = _column(root, columns, only_split)
    return hub_splits(root, column) if column or only_split is None else {only_split: None}


def _column(root: Path, columns: table.Columns, only_split: str | None) -> str:
    return column_of(root, columns.split if only_split is None else columns.split or "")
