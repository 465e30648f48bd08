"""Commands about recipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pefomed.cli.options import Json, Overrides, RecipeFile, overrides_of
from pefomed.cli.output import print_json, print_table
from pefomed.errors import RecipeError

if TYPE_CHECKING:
    from pefomed.recipe import Recipe

app = typer.Typer(help="List, copy and check recipes, and list their fields.")


@app.command("list", epilog="Example: pefomed recipe list")
def list_(json_: Json = False) -> None:
    """List the recipes that come with the program, by the names that every command takes."""
    from pefomed import recipe as recipes

    rows = [_facts(name, recipes.load(Path(name))) for name in recipes.names()]
    if json_:
        print_json(rows)
        return
    print_table(
        ("recipe", "what it is", "data", "weights and more"),
        [
            (row["recipe"], row["description"], "; ".join(row["data"].values()), ", ".join(row["weights"]))
            for row in rows
        ],
    )


@app.command(epilog="Example: pefomed recipe copy mini/slake my.toml")
def copy(
    recipe: RecipeFile,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
) -> None:
    """Write a recipe, with its comments, to a file of your own to change."""
    from pefomed import recipe as recipes
    from pefomed.files.storage import write

    source = recipes.find_recipe(recipe)
    recipes.load(source)
    if to.is_dir():
        raise RecipeError(f"{to} is a folder", remedy=f"name the file, e.g. {to / source.name}")
    if to.exists() and not force:
        raise RecipeError(f"{to} is already there", remedy="name another file, or overwrite it with --force")
    write(to, source.read_text(encoding="utf-8-sig"))
    typer.echo(f"recipe: {to}")


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


def _facts(name: str, recipe: Recipe) -> dict[str, Any]:
    """Return what is known of a recipe before anything is fetched, as JSON values."""
    from pefomed.datasets.listing import facts_of

    # Two loaders may read one folder: it is named once.
    needs: dict[str, str] = {}
    for dataset in recipe.data.values():
        needs[dataset.root] = f"{dataset.root}: {facts_of(dataset.loader)['needs']}"
    model = recipe.model
    parts = [model.family] if model.family else [model.vision_encoder, model.language_model]
    start = [recipe.model.start] if recipe.model.start else []
    return {
        "recipe": name,
        "description": recipe.description,
        "data": needs,
        "weights": [*parts, *start],
    }
