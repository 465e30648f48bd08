"""The command that shows what each change of a recipe gives, or each of its stages."""

from __future__ import annotations

from typing import Annotated

import typer

from pefomed.cli.options import Data, Out, Overrides, RecipeFile, overrides_of
from pefomed.cli.steps import RUNS, Fresh, Open, show_report

app = typer.Typer()


@app.command(rich_help_panel="Work", epilog="Example: pefomed ablate recipes/mini/slake.toml --data ~/data")
def ablate(
    recipe: RecipeFile,
    out: Out = RUNS,
    data: Data = None,
    set_: Overrides = None,
    fresh: Fresh = False,
    arm: Annotated[
        list[str] | None, typer.Option(help="An arm of the recipe's file; all of them by default.")
    ] = None,
    stages: Annotated[
        bool, typer.Option("--stages", help="Take the stages for arms, though the file names others.")
    ] = False,
    open_: Open = False,
) -> None:
    """Score the arms of a recipe, the changes that its file names, beside the recipe as it stands.

    Of a file without [arms.NAME] the arms are its stages: not trained, the first ones alone, the last
    alone, and both. The run of the whole recipe is used as it is if it is there; a stage that an arm
    shares with it is not trained again. docs/recipes.md says how arms are written.
    """
    if arm and stages:
        raise typer.BadParameter("--arm and --stages cannot go together")
    overrides = overrides_of(set_)
    from pefomed.report import write_report
    from pefomed.workflow.ablation import ablate as ablate_recipe

    folder = ablate_recipe(recipe, out, data, overrides, fresh=fresh, arms=arm or (), stages=stages)
    show_report(write_report(folder, data_folder=data), open_)
