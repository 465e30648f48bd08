"""The commands that do the work: run, and its steps one by one."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from pefomed.cli.options import Data, Json, Out, Overrides, RecipeFile, RunFolder, checked_run, overrides_of
from pefomed.cli.output import print_json, print_scores

app = typer.Typer()

RUNS = Path("runs")
Fresh = Annotated[bool, typer.Option("--fresh", help="Throw away what is there and begin anew.")]
Open = Annotated[bool, typer.Option("--open", help="Open the report in the browser.")]


@app.command(rich_help_panel="Work", epilog="Example: pefomed demo --open")
def demo(out: Out = RUNS, fresh: Fresh = False, open_: Open = False) -> None:
    """Train, predict, score and report on drawn images: the whole of it within minutes, without any data."""
    from pefomed import pipeline

    _finish(pipeline.demo(out, fresh=fresh), open_)


@app.command(
    rich_help_panel="Work", epilog="Example: pefomed run recipes/mini/slake.toml --data ~/data --set seed=1"
)
def run(
    recipe: RecipeFile,
    out: Out = RUNS,
    data: Data = None,
    set_: Overrides = None,
    fresh: Fresh = False,
    open_: Open = False,
) -> None:
    """Train every stage, predict, score and report; what is already there is kept and continued."""
    overrides = overrides_of(set_)
    from pefomed import pipeline

    _finish(pipeline.run(recipe, out, data, overrides, fresh=fresh), open_)


@app.command(rich_help_panel="Work", epilog="Example: pefomed train runs/slake --resume")
def train(
    target: Annotated[
        Path, typer.Argument(metavar="RECIPE|RUN", help="A recipe file, or a run's folder to continue.")
    ],
    out: Out = RUNS,
    data: Data = None,
    set_: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Continue an interrupted training, or begin anew.")
    ] = True,
) -> None:
    """Train every stage of a recipe."""
    overrides = overrides_of(set_)
    from pefomed import pipeline

    folder = pipeline.train(target, out, data, overrides, fresh=not resume)
    typer.echo(f"adapter: {folder / 'adapter'}")


@app.command(rich_help_panel="Work", epilog="Example: pefomed predict runs/slake --data ~/data")
def predict(
    run: RunFolder,
    data: Data = None,
    blind: Annotated[
        bool | None,
        typer.Option("--blind/--no-blind", help="Also answer without the image; by default the recipe says."),
    ] = None,
) -> None:
    """Answer the samples named in the recipe; those already answered are skipped."""
    folder = checked_run(run)
    from pefomed.predict import predict_run

    for path in predict_run(folder, data, blind=blind):
        typer.echo(path)


@app.command(rich_help_panel="Work", epilog="Example: pefomed evaluate runs/slake --json > scores.json")
def evaluate(run: RunFolder, data: Data = None, json_: Json = False) -> None:
    """Score the run's predictions, with intervals, floors and groups; no model is loaded."""
    folder = checked_run(run)
    from pefomed.evaluate import evaluate_run

    scores = evaluate_run(folder, data)
    if json_:
        print_json([score.model_dump() for score in scores])
    else:
        print_scores(run)


@app.command(rich_help_panel="Work", epilog="Example: pefomed report runs/slake --open")
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Folders of runs.")],
    open_: Open = False,
) -> None:
    """Write the report page of each run: one HTML file that opens from disk."""
    from pefomed.report import write_report

    for run in runs:
        _show_report(write_report(checked_run(run)), open_)


def _finish(run: Path, open_: bool) -> None:
    print_scores(run)
    _show_report(run / "report" / "index.html", open_)


def _show_report(page: Path, open_: bool) -> None:
    typer.echo(f"report: {page}")
    if open_:
        webbrowser.open(page.resolve().as_uri())
