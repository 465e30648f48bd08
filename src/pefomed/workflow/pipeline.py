"""A run from recipe to report: train, predict, evaluate, report, each resumed where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pefomed import recipe as recipes
from pefomed.datasets.read_once import read_once
from pefomed.files.storage import usable_paths, write
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.runs.changes import begun_otherwise, make_room
from pefomed.runs.lock import hold
from pefomed.runs.log import add_once
from pefomed.startup.processes import is_main

if TYPE_CHECKING:
    from pefomed.workflow.checks.check import CheckReport


@usable_paths()
def run(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> Path:
    """Train all stages, predict, evaluate and report; what is already there is not done again.

    Returns:
        The run's folder, `out / recipe.name`.
    """
    recipe, folder = _open(recipe_path, out, overrides)
    with hold(folder), read_once():
        train_recipe(recipe, folder, data, fresh=fresh)
        return finish(folder, data)


@usable_paths()
def train(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> Path:
    """Check and audit the data, then train all stages; return the run's folder.

    Args:
        recipe_path: a recipe, or the folder of a run to go on with.
    """
    recipe, folder = _open(recipe_path, out, overrides)
    train_recipe(recipe, folder, data, fresh=fresh)
    return folder


@usable_paths()
def check(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> Path:
    """Check all that can be known before a run, and write nothing into it; return the folder it would have.

    Raises:
        PefomedError: what is wrong; several things are one `ChecksFailed`.
    """
    recipe, folder = _open(recipe_path, out, overrides)
    if is_main():
        check_recipe(recipe, folder, data, fresh=fresh)
    return folder


def check_recipe(
    recipe: Recipe, folder: Path, data: Path | None = None, *, fresh: bool = False, untrained: bool = False
) -> CheckReport:
    """Check `recipe` against the run that is in `folder`, if one is, then all else; write nothing.

    Raises:
        PefomedError: what is wrong; several things are one `ChecksFailed`.
    """
    from pefomed.workflow.checks.check import check as check_all

    if not fresh:
        begun_otherwise(recipe, folder)
    return check_all(recipe, folder, data, fresh=fresh, untrained=untrained)


@usable_paths()
def train_recipe(
    recipe: Recipe,
    folder: Path,
    data: Path | None = None,
    *,
    fresh: bool = False,
    untrained: bool = False,
    checked: CheckReport | None = None,
) -> None:
    """Check and audit the data, then train all stages of `recipe` in the folder `folder`.

    Args:
        untrained: the recipe has no stage on purpose: its adapter is as it starts.
        checked: what `check_recipe` found, where it was asked before; None asks it.

    Raises:
        RunError: the folder holds a run of another recipe, or another process works in it.
    """
    from pefomed.training import train as train_stages

    with hold(folder), read_once():
        if is_main():
            if checked is None:
                checked = check_recipe(recipe, folder, data, fresh=fresh, untrained=untrained)
            if not fresh:
                make_room(recipe, folder)
            write(RunFolder(folder).recipe_file, recipes.dumps(recipe))
            write(RunFolder(folder).description_file, json.dumps(checked.described, indent=1))
            audit(recipe, folder, data)
        train_stages(recipe, folder, data, fresh=fresh, untrained=untrained)
        if checked and recipe.stages and is_main():
            add_once(folder, recipe.stages[-1].name, checked.cut)


@usable_paths()
def finish(folder: Path, data: Path | None = None) -> Path:
    """Predict, evaluate and report a trained run, in the main process; return its folder."""
    if not is_main():
        return folder
    from pefomed.evaluation import evaluate_run
    from pefomed.evaluation.threshold import choose_threshold
    from pefomed.inference.splits import predict_run
    from pefomed.report import write_report

    with hold(folder), read_once():
        predict_run(folder, data)
        if recipes.load(RunFolder(folder).recipe_file).threshold.data:
            choose_threshold(folder)
        evaluate_run(folder, data)
        write_report(folder, data_folder=data)
    return folder


@usable_paths()
def demo(out: Path = Path("runs"), overrides: dict[str, Any] | None = None, *, fresh: bool = False) -> Path:
    """Run the shipped demo recipe on synthetic images; return the run's folder."""
    return run(recipes.shipped("mini/demo.toml"), out, out / "demo-data", overrides, fresh=fresh)


@usable_paths()
def import_adapter(file: Path, recipe_path: Path, out: Path) -> Path:
    """Write a PeFoMed / MiniGPT-v2 `.pth` as the adapter folder `out`; return it.

    Raises:
        WeightsError: names every tensor that is missing, unexpected or of another shape.
    """
    from pefomed.models.exchange import import_adapter as import_into

    return import_into(file, recipes.load(recipe_path).model, out)


@usable_paths()
def export_adapter(folder: Path, file: Path) -> Path:
    """Write a run's adapter as a `.pth` that PeFoMed and MiniGPT-v2 load; return the file."""
    from pefomed.models.exchange import export_adapter as export_from

    return export_from(RunFolder(folder).adapter, file)


@usable_paths()
def audit(recipe: Recipe, folder: Path, data: Path | None = None) -> None:
    """Write the leakage audit of the data that is trained on and predicted into the run."""
    from pefomed.audit.recipe import audit_recipe

    write(RunFolder(folder).audit_file, json.dumps(audit_recipe(recipe, data), indent=1, ensure_ascii=False))


def _open(path: Path, out: Path, overrides: dict[str, Any] | None) -> tuple[Recipe, Path]:
    """Return the recipe and the folder of its run."""
    if path.is_dir():
        return recipes.load(RunFolder(path).recipe_file, overrides), path
    recipe = recipes.load(path, overrides)
    return recipe, out / recipe.name
