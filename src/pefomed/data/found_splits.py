"""The splits that a data set of one's own has, by what is in its files."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

from pefomed.data import LOADERS, checked_options, data_folder, loader
from pefomed.data.readers.shards import known_split
from pefomed.recipe import Dataset


def found_splits(dataset: Dataset, folder: Path | None = None) -> dict[str, int | None]:
    """Return the splits that the files hold, each with its rows where they are counted; none if unknown.

    Loaders of one's own tables have a function `splits` beside `load`, with the same options.

    Raises:
        RecipeError: an option of the loader is wrong.
        DataError: the files are not there, or not as the options say.
    """
    load = loader(dataset.loader)
    splits = getattr(inspect.getmodule(load), "splits", None)
    if dataset.loader not in LOADERS or splits is None:
        return {}
    found = splits(data_folder(folder) / dataset.root, **checked_options(dataset, load))
    return dict(found)


def further_splits(
    dataset: Dataset, known: Iterable[str], folder: Path | None = None
) -> dict[str, int | None]:
    """Return the splits of `found_splits` that are not among `known`, those for training first.

    Raises:
        RecipeError, DataError: see `found_splits`.
    """
    known = set(known)
    # A Hugging Face data set's `val` is read as `val` and as `validate`.
    meant = known | {known_split(name) for name in known if dataset.loader == "hugging_face"}
    found = {name: count for name, count in found_splits(dataset, folder).items() if name not in meant}
    return dict(sorted(found.items(), key=lambda each: _rank(each[0])))


def _rank(name: str) -> int:
    order = ("train", "validate", "test")
    return order.index(known_split(name)) if known_split(name) in order else len(order)
