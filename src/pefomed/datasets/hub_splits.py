"""The splits of a hub's folder of shards: in its files' names, or in a column of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pefomed.datasets import table_splits
from pefomed.errors import DataError, nearest
from pefomed.files.format import Format
from pefomed.files.shards import shards_of, splits_of
from pefomed.files.split_names import meant


def column_of(root: Path, named: str | None) -> str:
    """Return the column that says the split; by default `split`, where all files are one split."""
    if named is not None:
        return named
    names = splits_of(root)
    files = shards_of(root, names[0]) if len(names) == 1 else []
    return table_splits.own_column(files[0]) if files else ""


def all_shards(root: Path) -> list[Path]:
    """Return the files of all splits."""
    return [file for name in splits_of(root) for file in shards_of(root, name)]


def shards_with(files: Sequence[Path], column: str, split: str) -> list[Path]:
    """Return the files that have rows of `split`, which `column` says.

    Raises:
        DataError: none has.
    """
    counts = {file: _counted(file, column) for file in files}
    there = sum(counts.values(), Counter[str]())
    names = set(meant(split, there))
    if not names:
        raise DataError(f"{files[0].parent}: no row of the split {split!r}", remedy=nearest(split, there))
    return [file for file in files if names & counts[file].keys()]


def hub_splits(root: Path, column: str) -> dict[str, int | None]:
    """Return the splits as the folder calls them, each with its rows where a column says them."""
    if not column:
        return dict.fromkeys(splits_of(root))
    return dict(sum((_counted(file, column) for file in all_shards(root)), Counter[str]()))


def _counted(file: Path, column: str) -> Counter[str]:
    return Counter(table_splits.splits_of(file, column, None, Format(), lambda header: True))
