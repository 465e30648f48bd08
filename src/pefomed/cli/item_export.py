"""The command that writes a run's values of single answers for pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pefomed.cli.options import RunArgument

app = typer.Typer()


@app.command(rich_help_panel="Work", epilog="Example: pefomed export runs/slake --items items.parquet")
def export(
    run: RunArgument,
    items: Annotated[
        Path, typer.Option("--items", metavar="FILE", help="The table to write, .csv or .parquet.")
    ],
) -> None:
    """Write what each metric says of each answer, one row each with the sample's meta, for pandas or R.

    Data sets for other trainers are written by `pefomed data export`.
    """
    from pefomed.evaluation.item_export import export_items

    typer.echo(f"{items}: {export_items(run, items):,} rows")
