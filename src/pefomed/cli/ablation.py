"""The command that shows what each training stage gives."""

from __future__ import annotations

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
    open_: Open = False,
) -> None:
    """Score a recipe not trained, after its first stages alone, its last stage alone, and both.

    The run of the whole recipe is used as it is if it is there; what the arms share is computed once.
    """
    overrides = overrides_of(set_)
    from pefomed.ablation import ablate as ablate_recipe
    from pefomed.report import write_report

    folder = ablate_recipe(recipe, out, data, overrides, fresh=fresh)
    show_report(write_report(folder, data_folder=data), open_)
