"""Commands about recipes."""

from __future__ import annotations

import typer

from pefomed.cli.options import Json, Overrides, RecipeFile, overrides_of
from pefomed.cli.output import print_json

app = typer.Typer(help="Check recipes and list their fields.")


@app.command(epilog="Example: pefomed recipe check recipes/mini/slake.toml")
def check(recipe: RecipeFile, set_: Overrides = None, json_: Json = False) -> None:
    """Validate a recipe and show it resolved: every default written out."""
    from pefomed import recipe as recipes

    loaded = recipes.load(recipe, overrides_of(set_))
    if json_:
        print_json(loaded.model_dump(mode="json"))
    else:
        typer.echo(recipes.dumps(loaded), nl=False)


@app.command(epilog="Example: pefomed recipe fields")
def fields() -> None:
    """List every field of a recipe with its default and meaning, as Markdown."""
    from pefomed.recipe import table

    typer.echo(table.markdown(), nl=False)
