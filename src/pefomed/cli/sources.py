"""How commands name data sets: a recipe, or a loader with its root and options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pefomed.cli.options import overrides_of
from pefomed.errors import RecipeError, nearest

if TYPE_CHECKING:
    from pefomed.recipe import Dataset

Source = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|LOADER", help="A recipe's file or name, or a loader of `pefomed data list`."
    ),
]
Root = Annotated[
    str, typer.Argument(metavar="ROOT", help="For a loader: its folder or file within the data folder.")
]
Only = Annotated[
    str | None, typer.Option("--only", metavar="NAME", help="Of a recipe's data sets, only this one.")
]
Splits = Annotated[
    list[str] | None, typer.Option("--split", help="A split; may be repeated. By default all that are known.")
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the loader, e.g. language=zh."),
]


def chosen_of(
    source: str, root: str, only: str | None, options: list[str] | None, data: Path | None
) -> dict[str, tuple[Dataset, list[str]]]:
    """Return the data sets of a recipe, or the one a loader reads at `root`, each with its splits.

    These must be readable: what a recipe uses and what was published; of one's own tables all there are.
    """
    from pefomed import recipe as recipes
    from pefomed.audit.recipe import used_splits

    if not recipes.is_recipe(source):
        dataset = recipes.Dataset(loader=source, root=root, options=overrides_of(options))
        known = _published(source)
        return {source: (dataset, [*known, *others_of(dataset, known, data)] or ["train"])}
    loaded = recipes.load_data(Path(source))
    if only is not None and only not in loaded.data:
        raise RecipeError(f"{source} has no data set {only!r}", remedy=nearest(only, loaded.data))
    used = used_splits(loaded)
    return {
        name: (dataset, list(dict.fromkeys([*used.get(name, ()), *_published(dataset.loader)])))
        for name, dataset in loaded.data.items()
        if only in (None, name)
    }


def others_of(dataset: Dataset, known: Sequence[str], data: Path | None) -> dict[str, int | None]:
    """Return the splits that are in the files beside `known`, with their rows."""
    from pefomed.datasets.found_splits import further_splits

    return further_splits(dataset, known, data)


def _published(loader: str) -> list[str]:
    """Return the splits with a published size; a split without one may depend on an option."""
    from pefomed.datasets import card

    about = card(loader)
    splits = about.splits if about else {}
    return [split for split, counts in splits.items() if counts] or list(splits)
