"""Commands about data sets: list the loaders, look at samples, audit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pefomed.cli.export import export
from pefomed.cli.hospital import import_
from pefomed.cli.mapping import map_
from pefomed.cli.options import Data, Json
from pefomed.cli.output import print_json, print_table
from pefomed.cli.sources import Only, Options, Root, Source, Splits, chosen_of, others_of
from pefomed.errors import DataError, listed, nearest, typed

if TYPE_CHECKING:
    from pefomed.recipe import Dataset

app = typer.Typer(help="List loaders, look at samples, audit data sets, write them for others.")


@app.command("list", epilog="Example: pefomed data list mimic_cxr")
def list_(
    loader: Annotated[
        str | None,
        typer.Argument(
            metavar="LOADER",
            help="Only this one, with all that is known about it; `package.module:function` too.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """List the loaders with their splits, published counts, licences and needs; of one every option."""
    from pefomed.datasets import LOADERS
    from pefomed.datasets.listing import facts_of, in_full, options_as_text, options_as_values
    from pefomed.datasets.options import options_of

    names = [loader] if loader else list(LOADERS)
    options = {name: options_of(name) for name in names}
    rows = [facts_of(name) for name in names]
    if json_:
        print_json([row | {"options": options_as_values(options[row["loader"]])} for row in rows])
    elif loader:
        typer.echo(in_full(rows[0]))
        typer.echo(options_as_text(options[loader], shutil.get_terminal_size((100, 24)).columns))
    else:
        print_table(
            ("loader", "data set", "splits", "licence", "needs"),
            [
                (
                    row["loader"],
                    row["title"],
                    ", ".join(
                        f"{name} {count:,}" if count else name for name, count in row["splits"].items()
                    ),
                    row["licence"],
                    row["needs"],
                )
                for row in rows
            ],
        )


@app.command(epilog="Example: pefomed data options > options.md")
def options() -> None:
    """List every option of every loader with its default and meaning, as Markdown."""
    from pefomed.datasets.options_page import markdown

    typer.echo(markdown(), nl=False)


@app.command(epilog="Example: pefomed data get vqa_rad --data ~/data")
def get(
    loader: Annotated[str, typer.Argument(metavar="LOADER", help="A loader of `pefomed data list`.")],
    root: Annotated[
        str | None,
        typer.Option(metavar="ROOT", help="Its folder within the data folder; by default that of its files."),
    ] = None,
    data: Data = None,
) -> None:
    """Fetch a data set the hub offers freely; of another, say where to apply and what to put where."""
    from pefomed.datasets import data_folder
    from pefomed.datasets.get import folder_of
    from pefomed.datasets.get import get as fetch

    root = root or folder_of(loader)
    folder = data_folder(data) / root
    about = fetch(loader, folder)
    typer.echo(f"{about.title}: {folder}\nlicence: {about.licence}\nplease cite: {about.citation}")
    typer.echo(f"look at it: pefomed data audit {loader} {typed(root)} --data {typed(data_folder(data))}")


@app.command(epilog="Example: pefomed data show recipes/mini/slake.toml --only slake -o sheet.html")
def show(
    source: Source,
    root: Root = ".",
    out: Annotated[Path, typer.Option("--out", "-o", help="The page to write.")] = Path("sheet.html"),
    only: Only = None,
    split: Annotated[
        str | None,
        typer.Option(help="The split to show; by default `train`, or the first there is."),
    ] = None,
    images: Annotated[int, typer.Option("-n", min=1, help="How many images, or pairs of them.")] = 60,
    seed: Annotated[int, typer.Option(help="Another seed draws other images.")] = 0,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Show images of different splits that are equal or look alike.")
    ] = False,
    data: Data = None,
    option: Options = None,
) -> None:
    """Write a contact sheet: a page of images with their questions, answers and boxes."""
    from pefomed.audit.show import contact_sheet
    from pefomed.datasets import load_samples
    from pefomed.files.split_names import in_order

    chosen = chosen_of(source, root, only, option, data)
    if pairs:
        from pefomed.audit.show_pairs import pair_sheet

        typer.echo(f"pairs: {pair_sheet(_audits(source, chosen, None, only, data), out, images)}")
        return
    known = {name: [*splits, *others_of(dataset, splits, data)] for name, (dataset, splits) in chosen.items()}
    if split is None:
        split = in_order({each for splits in known.values() for each in splits} or {"train"})[0]
    used = [name for name, splits in known.items() if split in splits]
    # One data set alone is read in any case: its loader knows best which splits it has.
    names = used or (list(chosen) if len(chosen) == 1 else [])
    if not names:
        there = sorted({each for splits in known.values() for each in splits})
        raise DataError(f"no data set of {source} has the split {split!r}", remedy=nearest(split, there))
    samples = [sample for name in names for sample in load_samples(chosen[name][0], split, data)]
    title = f"{', '.join(names)}: {split}"
    typer.echo(f"contact sheet: {contact_sheet(samples, out, images, seed, title)}")
    for name in names:
        rows = others_of(chosen[name][0], [split], data)
        more = [f"{each} ({count:,} rows)" if count else each for each, count in rows.items()]
        if more:
            typer.echo(f"{name} also has the split{'s' if len(more) > 1 else ''} {listed(more, most=12)}")


@app.command(epilog="Example: pefomed data audit recipes/mini/vqa_rad.toml --data ~/data --json")
def audit(
    source: Source,
    root: Root = ".",
    only: Only = None,
    split: Splits = None,
    data: Data = None,
    option: Options = None,
    id_: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            metavar="KEY",
            help="A column or meta key whose values must not be in two splits; may be repeated. By default"
            " patient, subject, study and the like.",
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Find unreadable images, duplicates, leakage between splits, and counts unlike the published ones."""
    results = _audits(source, chosen_of(source, root, only, option, data), split, only, data, id_)
    if json_:
        print_json(results)
        return
    for name, result in results.items():
        typer.echo(f"{name}: {result['title']}" if result["title"] else name)
        for sentence in result["summary"]:
            typer.echo(f"  {sentence}")
    if any(pair["near_images"]["count"] for result in results.values() for pair in result["leakage"]):
        typer.echo("images that look alike: add --pairs to `pefomed data show` to see them side by side")


app.command(epilog="Example: pefomed data export slake slake --to llava --copy-images -o slake-llava")(export)
app.command("map", epilog="Example: pefomed data map theirs.csv -o part.toml")(map_)
app.command("import", epilog="Example: pefomed data import ~/export --out data/ward --window CT=lung")(
    import_
)


def _audits(
    source: str,
    chosen: dict[str, tuple[Dataset, list[str]]],
    split: list[str] | None,
    only: str | None,
    data: Path | None,
    ids: list[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the audits of the chosen data sets, and of a whole recipe those across data sets."""
    from pefomed import recipe as recipes
    from pefomed.audit.recipe import audit_across, audit_dataset

    results = {
        name: audit_dataset(dataset, split or known, data, ids or None, others=not split)
        for name, (dataset, known) in chosen.items()
    }
    if recipes.is_recipe(source) and not (only or split):
        results |= audit_across(recipes.load_data(Path(source)), data)
    return results
