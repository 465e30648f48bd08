"""Commands that turn PeFoMed and MiniGPT-v2 checkpoints into adapters, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pefomed.cli.options import RunArgument, checked_run

app = typer.Typer(help="Import and export PeFoMed and MiniGPT-v2 checkpoints.")


@app.command(
    "import",
    epilog="Example: pefomed adapter import minigptv2.pth --recipe recipes/paper/stage1.toml -o minigptv2",
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.pth", help="A PeFoMed or MiniGPT-v2 checkpoint.")],
    recipe: Annotated[Path, typer.Option(help="A recipe whose model the checkpoint fits.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The adapter's folder.")],
) -> None:
    """Write a checkpoint as a PEFT adapter; all missing or unexpected tensors are named.

    Constants that their trainer saves beside what it trained (rotary frequencies, masks) are checked and
    left out.
    """
    from pefomed.workflow import pipeline

    typer.echo(f"adapter: {pipeline.import_adapter(file, recipe, out)}")


@app.command(epilog="Example: pefomed adapter export runs/paper-vqa_rad -o pefomed.pth")
def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
) -> None:
    """Write a run's adapter as a checkpoint that PeFoMed and MiniGPT-v2 load.

    LoRA is in it under two names, stored once: those of PEFT up to 0.2, which they pin, and those of later
    versions. Their loaders pass over names that they do not know.
    """
    folder = checked_run(run)
    from pefomed.workflow import pipeline

    typer.echo(f"checkpoint: {pipeline.export_adapter(folder, out)}")
