"""Commands about the cache of frozen image features."""

from __future__ import annotations

from typing import Annotated

import typer

from pefomed.cli.options import Json
from pefomed.cli.output import print_json, print_table

app = typer.Typer(help="Show and prune the cache of image features.")


@app.command(epilog="Example: pefomed cache show")
def show(json_: Json = False) -> None:
    """Show what the cache holds: features by encoder and preprocessing, and what else is there."""
    from pefomed import cache

    folder = cache.cache_folder()
    spaces = cache.spaces(folder)
    if json_:
        print_json(
            {
                "folder": str(folder),
                "spaces": [vars(space) for space in spaces],
                "others": cache.others(folder),
            }
        )
        return
    typer.echo(f"folder: {folder}")
    if spaces:
        print_table(
            ("encoder and preprocessing", "images", "MB", "about"),
            [
                (
                    space.name,
                    space.images,
                    space.bytes / 1e6,
                    ", ".join(f"{key} {value}" for key, value in space.about.items()),
                )
                for space in spaces
            ],
        )
    else:
        typer.echo("no features are kept")
    for name, size in cache.others(folder).items():
        typer.echo(f"{folder / name}: {size / 1e6:,.1f} MB, {cache.OTHERS[name]}")


@app.command(epilog="Example: pefomed cache prune --to 5")
def prune(
    to: Annotated[
        float | None, typer.Option("--to", min=0, metavar="GIB", help="Keep this much, the last used.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Remove everything.")] = False,
) -> None:
    """Remove features; they are computed again when they are needed."""
    if (to is None) != all_:
        raise typer.BadParameter("give either --to GIB or --all")
    from pefomed import cache

    files, size = cache.prune(cache.cache_folder(), int((to or 0) * 2**30))
    typer.echo(f"removed {files:,} images' features, {size / 1e6:,.0f} MB")
