"""The records of one split, of a file, a folder with a file for each split, or a hub's folder of shards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pefomed.datasets import table_splits
from pefomed.datasets.conversations import records
from pefomed.datasets.hub_splits import all_shards, column_of, hub_splits, shards_with
from pefomed.errors import DataError, nearest
from pefomed.files import shards
from pefomed.files.format import Format
from pefomed.files.rows import read_table
from pefomed.files.tables import stem_of

Rows = Iterator[tuple[str, dict[str, Any]]]


def rows_of(
    root: Path, split: str, column: str | None, only_split: str | None, how: Format
) -> Iterator[tuple[Path, str, Rows]]:
    """Yield each file that has records of `split`, what their ids begin with, and these records.

    Args:
        column: the field that says the split; None finds one called `split`, an empty text takes none.
        only_split: the split that a file without such a field is.
        how: what the files do not say themselves.

    Raises:
        DataError: there are no such records, or no such file.
    """
    if not _is_hub(root):
        for path, named, rows in table_splits.rows_of(root, split, column, only_split, how):
            stem = stem_of(path)
            # Records of two splits may ask the same.
            yield path, f"{stem}-{split}" if named else stem, rows
        return
    column = column_of(root, column)
    if not column:
        files = shards.shards_of(root, split)
        if not files:
            names = shards.splits_of(root)
            raise DataError(
                f"{root} has no Parquet or Arrow files of the split {split!r}", remedy=nearest(split, names)
            )
        for file in files:
            # In how many files a split is cut says nothing of its records.
            yield file, split, read_table(file)
        return
    for file in shards_with(all_shards(root), column, split):
        for path, _, rows in table_splits.rows_of(file, split, column, None, Format()):
            yield path, split, rows


def splits_of(root: Path, column: str | None, only_split: str | None, how: Format) -> dict[str, int | None]:
    """Return the splits as the files call them, each with its records where they are counted.

    Raises:
        DataError: see `rows_of`.
    """
    if not _is_hub(root):
        return dict(table_splits.splits_of(root, column, only_split, how, _fits))
    return hub_splits(root, column_of(root, column))


def _is_hub(root: Path) -> bool:
    return root.is_dir() and shards.has_shards(root)


def _fits(header: Collection[str]) -> bool:
    known = {*records.FIELDS, "completion", "response", "output"}
    return bool(known.intersection(header))
