"""The arguments and options that several commands share."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from pefomed.errors import RunError
from pefomed.files import urls
from pefomed.runs import RunFolder

RecipeFile = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="A recipe file (.toml), or a shipped one's name: mini/slake.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
Out = Annotated[Path, typer.Option(help="Folder that gets a folder for the run.")]
Data = Annotated[
    Path | None,
    typer.Option(envvar="PEFOMED_DATA", help="Folder that the recipe's data sets are in.", metavar="DIR"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the recipe, e.g. stages.0.lr=1e-4."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def one_of(names: Collection[str], *, help: str) -> Any:
    """Return an option that takes one of these names."""

    def chosen(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, names))}")
        return text

    return typer.Option(parser=chosen, metavar=f"[{'|'.join(names)}]", help=help)


def overrides_of(pairs: list[str] | None) -> dict[str, Any]:
    """Return `KEY=VALUE` pairs as a dict; a value is read as TOML, or taken as text if it is none.

    Raises:
        typer.BadParameter: a pair is none, or a key is given twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE, e.g. --set stages.0.lr=1e-4")
        if key.strip() in values:
            raise typer.BadParameter(f"{key.strip()!r} is given twice; of one key only one value counts")
        try:
            values[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[key.strip()] = text
    return values


def checked_run(folder: Path) -> Path:
    """Return `folder` if it is a run's.

    Raises:
        RunError: it does not exist or holds no run.
    """
    if RunFolder(folder).recipe_file.is_file():
        return folder
    if url := urls.url_in(folder):
        raise RunError(f"{url} is a URL, not a folder or file", remedy="download it first and give its path")
    if folder.suffix == ".toml" and folder.is_file():
        found = "a recipe"
    elif folder.is_dir():
        runs = sorted(path.parent for path in folder.glob("*/recipe.toml"))
        found = f"a folder of runs: {', '.join(map(str, runs))}" if runs else "a folder without recipe.toml"
    else:
        found = "a file" if folder.exists() else "nothing there"
    raise RunError(
        f"{folder} is not a run's folder",
        found=found,
        remedy="name a folder that `pefomed run RECIPE` or `pefomed train RECIPE` made",
    )
