"""Audit of a recipe: each data set over its splits, and what is scored against everything else it trains on.

The second matters for stage 1: captions of one data set may show the test images of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.audit.audit import audit
from pefomed.cache import cache_folder
from pefomed.datasets import card, load_samples, load_split
from pefomed.datasets import data_folder as root_of
from pefomed.datasets.found_splits import absent_splits, beside, found_splits, written_as
from pefomed.datasets.stage_splits import trained_splits
from pefomed.datasets.stage_splits import used_splits as splits_of
from pefomed.errors import DataError
from pefomed.files.split_names import in_order
from pefomed.recipe import Dataset, Recipe


def audit_recipe(recipe: Recipe, data_folder: Path | None = None) -> dict[str, Any]:
    """Return the audit of every data set that is trained on or predicted, by name, and of every pair.

    A pair's name is `<trained> against <predicted>`, its splits are called `<data set> <split>`. Splits
    that the files of one's own have beside those that are used are audited too.

    Raises:
        DataError: a split cannot be read.
    """
    results = {}
    for name, splits in used_splits(recipe).items():
        results[name] = audit_dataset(recipe.data[name], splits, data_folder, others=True)
    return results | audit_across(recipe, data_folder)


def audit_dataset(
    dataset: Dataset,
    splits: Sequence[str],
    data_folder: Path | None = None,
    ids: Sequence[str] | None = None,
    *,
    others: bool = False,
) -> dict[str, Any]:
    """Return the audit of one data set over `splits`; for `ids` see `audit`.

    Splits that the files have beside them are named, and with `others` audited as well; one of those that
    cannot be read is named with the reason, and so is one that the files name and that is not there.

    Raises:
        DataError: one of `splits` cannot be read.
    """
    loaded = {split: load_split(dataset, split, data_folder) for split in splits}
    found = found_splits(dataset, data_folder)
    further = beside(found, splits)
    unusable = {}
    for split in list(further) if others else ():
        try:
            loaded[split] = load_split(dataset, split, data_folder)
            del further[split]
        except DataError as error:
            unusable[split] = str(error)
    for split, why in absent_splits(dataset, data_folder).items():
        if split not in loaded:
            further[split], unusable[split] = None, why
    return audit(
        {split: loaded[split][0] for split in in_order(loaded)},
        card(dataset.loader, root_of(data_folder) / dataset.root),
        {split: left_out for split, (_, left_out) in loaded.items()},
        cache=cache_folder(),
        ids=ids,
        further=further,
        unusable=unusable,
        written=written_as(found, loaded),
    )


def audit_across(recipe: Recipe, data_folder: Path | None = None) -> dict[str, Any]:
    """Return the audit of what is predicted against the other data sets that are trained on, by pair.

    Raises:
        DataError: a split cannot be read.
    """
    results = {}
    for (trained, split), (scored, test) in _pairs(recipe):
        samples = {
            f"{name} {part}": load_samples(recipe.data[name], part, data_folder)
            for name, part in ((trained, split), (scored, test))
        }
        results[f"{trained} against {scored}"] = audit(samples, cache=cache_folder(), one_data_set=False)
    return results


def used_splits(recipe: Recipe) -> dict[str, list[str]]:
    """Return the splits that the recipe uses of each data set, those it trains on first."""
    splits: dict[str, dict[str, None]] = {}
    for stage in recipe.stages:
        for name in stage.data:
            splits.setdefault(name, {}).update(dict.fromkeys(splits_of(recipe, stage, name)))
    for name, split in recipe.predict.data.items():
        splits.setdefault(name, {})[split] = None
    return {name: list(chosen) for name, chosen in splits.items()}


def _pairs(recipe: Recipe) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield (trained, split), (scored, split) of different data sets, each pair of them once."""
    seen = set()
    for stage in recipe.stages:
        for trained in stage.data:
            for split in trained_splits(recipe, stage, trained):
                for scored, test in recipe.predict.data.items():
                    pair = ((trained, split), (scored, test))
                    if trained != scored and pair not in seen:
                        seen.add(pair)
                        yield pair
