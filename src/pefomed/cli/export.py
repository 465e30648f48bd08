"""The command that writes a data set for other trainers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from pefomed.cli.options import Data, Json
from pefomed.cli.output import print_json
from pefomed.cli.sources import Only, Options, Root, Source, Splits, chosen_of, others_of
from pefomed.errors import RecipeError, listed

# Of `pefomed.export`, which takes too long to import for the help.
Form = Literal["llava", "messages", "parquet", "jsonl"]


def export(
    source: Source,
    to: Annotated[
        Form,
        typer.Option(
            help="llava (LLaVA, LlamaFactory, ms-swift), messages (TRL, ms-swift), parquet with the pictures"
            " inside, or jsonl, one row a question."
        ),
    ],
    root: Root = ".",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder to write.")] = None,
    only: Only = None,
    split: Splits = None,
    copy_images: Annotated[
        bool,
        typer.Option(
            "--copy-images", help="Copy the pictures into OUT/images, as PNG what others cannot read."
        ),
    ] = False,
    instruct: Annotated[
        bool | None,
        typer.Option(
            "--instruction/--bare",
            help="Questions with the recipe's instruction around them, or alone. By default with it if a"
            " recipe is named; captions, reports and boxes always have one.",
        ),
    ] = None,
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote", help="Write data that is restricted; where it may go is for you to see."
        ),
    ] = False,
    data: Data = None,
    option: Options = None,
    json_: Json = False,
) -> None:
    """Write a data set for another trainer, so that both can be compared on the same data."""
    from pefomed import recipe as recipes
    from pefomed.export import export as write

    chosen = chosen_of(source, root, only, option, data)
    if len(chosen) != 1:
        raise RecipeError(
            f"{source} has {len(chosen)} data sets", remedy=f"name one with --only: {', '.join(chosen)}"
        )
    [(name, (dataset, known))] = chosen.items()
    is_recipe = recipes.is_recipe(source)
    written, base = write(
        dataset,
        list(dict.fromkeys(split or [*known, *others_of(dataset, known, data)])),
        out or Path(f"{name}-{to}"),
        to,
        name=name,
        prompt=recipes.load_data(Path(source)).prompt if is_recipe else None,
        instruct=is_recipe if instruct is None else instruct,
        copy_images=copy_images,
        allow_restricted=allow_remote,
        folder=data,
    )
    if json_:
        print_json([{**asdict(one), "images_in": base} for one in written])
        return
    for one in written:
        why = [f"{count:,} {reason}" for reason, count in one.left_out.items()]
        left = f"; left out: {listed(why)}" if why else ""
        typer.echo(f"{one.split}: {one.samples:,} samples on {one.images:,} images, {one.file}{left}")
    if to != "parquet":
        typer.echo(f"paths of pictures are relative to {base}")
