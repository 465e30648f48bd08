"""The splits that a data set of one's own has, by what is in its files."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pefomed.datasets import LOADERS, checked_options, data_folder, loader
from pefomed.errors import DataError
from pefomed.files.split_names import meant, split_roles
from pefomed.recipe import Dataset


def found_splits(dataset: Dataset, folder: Path | None = None) -> dict[str, int | None]:
    """Return the splits as the files call them, each with its rows where they are counted; none if unknown.

    Loaders of one's own tables have a function `splits` beside `load`, with the same options.

    Raises:
        RecipeError: an option of the loader is wrong.
        DataError: the files are not there, or not as the options say.
    """
    return _asked(dataset, "splits", folder)


def absent_splits(dataset: Dataset, folder: Path | None = None) -> dict[str, str]:
    """Return the splits that the files name and that are not there, each with the reason; mostly none.

    Raises:
        RecipeError, DataError: see `found_splits`.
    """
    return _asked(dataset, "absent_splits", folder)


def further_splits(
    dataset: Dataset, known: Iterable[str], folder: Path | None = None
) -> dict[str, int | None]:
    """Return the splits of `found_splits` that `known` does not name, those for training first.

    Each is called as it may be asked for: `validate` for a column's `val`.

    Raises:
        RecipeError, DataError: see `found_splits`.
    """
    return beside(found_splits(dataset, folder), known)


def beside(found: Mapping[str, int | None], known: Iterable[str]) -> dict[str, int | None]:
    """Return what `further_splits` does, of splits that were found."""
    seen = {name for split in known for name in _meant(split, found)}
    return {
        split: _rows(found[name] for name in names)
        for split, names in split_roles(found).items()
        if seen.isdisjoint(names)
    }


def written_as(found: Mapping[str, int | None], splits: Iterable[str]) -> dict[str, dict[str, int | None]]:
    """Return for each of `splits` that the files call otherwise what they call it, with the rows."""
    names = {split: _meant(split, found) for split in splits}
    return {
        split: {name: found[name] for name in there}
        for split, there in names.items()
        if there not in ([], [split])
    }


def _meant(split: str, found: Iterable[str]) -> list[str]:
    try:
        return meant(split, found)
    except DataError:  # whoever reads the split says so
        return []


def _rows(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def _asked(dataset: Dataset, function: str, folder: Path | None) -> dict[str, Any]:
    """Return what a function beside a loader of ours says, nothing where there is none."""
    load = loader(dataset.loader)
    ask = getattr(inspect.getmodule(load), function, None)
    if dataset.loader not in LOADERS or ask is None:
        return {}
    return dict(ask(data_folder(folder) / dataset.root, **checked_options(dataset, load)))
