"""Commands about data sets: list the loaders, look at samples, audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pefomed.cli.options import Data, Json, overrides_of
from pefomed.cli.output import print_json, print_table
from pefomed.errors import DataError, RecipeError, nearest

if TYPE_CHECKING:
    from pefomed.recipe import Dataset

app = typer.Typer(help="List loaders, look at samples, audit data sets.")

Source = Annotated[
    str, typer.Argument(metavar="RECIPE|LOADER", help="A recipe file, or a loader of `pefomed data list`.")
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


@app.command("list", epilog="Example: pefomed data list")
def list_(json_: Json = False) -> None:
    """List the loaders with their splits, published counts and licences."""
    from pefomed.data import LOADERS, card

    rows: list[dict[str, Any]] = []
    for name in LOADERS:
        about = card(name)
        splits = dict(about.splits) if about else {}
        rows.append(
            {
                "loader": name,
                "title": about.title if about else "",
                "splits": {split: counts.samples if counts else None for split, counts in splits.items()},
                "licence": about.licence if about else "",
                "link": about.link if about else "",
                "restricted": about.restricted if about else False,
            }
        )
    if json_:
        print_json(rows)
        return
    print_table(
        ("loader", "data set", "splits", "licence", "link"),
        [
            (
                row["loader"],
                row["title"],
                ", ".join(f"{split} {count:,}" if count else split for split, count in row["splits"].items()),
                row["licence"],
                row["link"],
            )
            for row in rows
        ],
    )


@app.command(epilog="Example: pefomed data show recipes/mini/slake.toml --only slake -o sheet.html")
def show(
    source: Source,
    root: Root = ".",
    out: Annotated[Path, typer.Option("--out", "-o", help="The page to write.")] = Path("sheet.html"),
    only: Only = None,
    split: Annotated[str, typer.Option(help="The split to show.")] = "train",
    images: Annotated[int, typer.Option("-n", min=1, help="How many images.")] = 60,
    seed: Annotated[int, typer.Option(help="Another seed draws other images.")] = 0,
    data: Data = None,
    option: Options = None,
) -> None:
    """Write a contact sheet: a page of images with their questions and answers."""
    from pefomed.data import load_samples
    from pefomed.data.show import contact_sheet

    chosen = _chosen(source, root, only, option)
    used = [name for name, (_, splits) in chosen.items() if split in splits]
    # One data set alone is read in any case: its loader knows best which splits it has.
    names = used or (list(chosen) if len(chosen) == 1 else [])
    if not names:
        known = sorted({each for _, splits in chosen.values() for each in splits})
        raise DataError(f"no data set of {source} has the split {split!r}", remedy=nearest(split, known))
    samples = [sample for name in names for sample in load_samples(chosen[name][0], split, data)]
    title = f"{', '.join(names)}: {split}"
    typer.echo(f"contact sheet: {contact_sheet(samples, out, images, seed, title)}")


@app.command(epilog="Example: pefomed data audit recipes/mini/vqa_rad.toml --data ~/data --json")
def audit(
    source: Source,
    root: Root = ".",
    only: Only = None,
    split: Splits = None,
    data: Data = None,
    option: Options = None,
    json_: Json = False,
) -> None:
    """Find unreadable images, duplicates, leakage between splits, and counts unlike the published ones."""
    from pefomed.data import card, load_samples
    from pefomed.data.audit import audit as audit_splits

    results = {}
    for name, (dataset, known) in _chosen(source, root, only, option).items():
        samples = {each: load_samples(dataset, each, data) for each in split or known}
        results[name] = audit_splits(samples, card(dataset.loader))
    if source.endswith(".toml") and not (only or split):
        from pefomed import recipe as recipes
        from pefomed.data.audit_recipe import audit_across

        results |= audit_across(recipes.load(Path(source)), data)
    if json_:
        print_json(results)
        return
    for name, result in results.items():
        typer.echo(f"{name}: {result['title']}" if result["title"] else name)
        for sentence in result["summary"]:
            typer.echo(f"  {sentence}")


def _chosen(
    source: str, root: str, only: str | None, options: list[str] | None
) -> dict[str, tuple[Dataset, list[str]]]:
    """Return the data sets of a recipe, or the one a loader reads at `root`, each with its splits."""
    from pefomed import recipe as recipes
    from pefomed.data.audit_recipe import used_splits

    if not source.endswith(".toml"):
        dataset = recipes.Dataset(loader=source, root=root, options=overrides_of(options))
        return {source: (dataset, _published(source) or ["train"])}
    loaded = recipes.load(Path(source))
    if only is not None and only not in loaded.data:
        raise RecipeError(f"{source} has no data set {only!r}", remedy=nearest(only, loaded.data))
    used = used_splits(loaded)
    return {
        name: (dataset, list(dict.fromkeys([*used.get(name, ()), *_published(dataset.loader)])))
        for name, dataset in loaded.data.items()
        if only in (None, name)
    }


def _published(loader: str) -> list[str]:
    """Return the splits with a published size; a split without one may depend on an option."""
    from pefomed.data import card

    about = card(loader)
    splits = about.splits if about else {}
    return [split for split, counts in splits.items() if counts] or list(splits)
