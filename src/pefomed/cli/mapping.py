"""`pefomed data map`: the part of a recipe that would read a file or folder of somebody's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pefomed.cli.options import Data, Json
from pefomed.cli.output import print_json
from pefomed.errors import DataError


def map_(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="A table, a COCO file, a hub's folder, or a folder of YOLO, VOC or LabelMe files.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="TOML", help="Write the part of the recipe there, too."),
    ] = None,
    data: Data = None,
    json_: Json = False,
) -> None:
    """Propose the part of a recipe that reads a file or folder, with three rows as it reads them."""
    from pefomed.datasets import data_folder
    from pefomed.files.storage import write
    from pefomed.proposals import propose
    from pefomed.proposals.page import as_text, as_toml, as_values, rows_of

    if out is not None and out.exists():
        raise DataError(f"{out} is already there", remedy="name another file")
    folder = data_folder(data)
    proposal = propose(path, folder)
    rows = rows_of(proposal, folder)
    if out is not None:
        write(out, as_toml(proposal))
    if json_:
        print_json(as_values(proposal, rows))
        return
    typer.echo(as_toml(proposal))
    typer.echo(as_text(proposal, rows, shutil.get_terminal_size((100, 24)).columns))
    if out is not None:
        typer.echo(f"recipe part: {out}")
