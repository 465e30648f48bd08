"""A run from recipe to report: train, predict, evaluate, report, each resumed where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pefomed import recipe as recipes
from pefomed.errors import RunError
from pefomed.processes import is_main
from pefomed.recipe import Recipe
from pefomed.storage import write


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
    folder = train(recipe_path, out, data, overrides, fresh=fresh)
    return finish(folder, data)


def train(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> Path:
    """Audit the data, then train all stages; return the run's folder.

    Args:
        recipe_path: a recipe, or the folder of a run to go on with.
    """
    recipe, folder = _open(recipe_path, out, overrides)
    train_recipe(recipe, folder, data, fresh=fresh)
    return folder


def train_recipe(
    recipe: Recipe, folder: Path, data: Path | None = None, *, fresh: bool = False, untrained: bool = False
) -> None:
    """Audit the data, then train all stages of `recipe` in the folder `folder`.

    Args:
        untrained: the recipe has no stage on purpose: its adapter is as it starts.

    Raises:
        RunError: the folder holds a run of another recipe.
    """
    from pefomed.training import train as train_stages

    if is_main():
        if not fresh:
            _check_same(recipe, folder)
        write(folder / "recipe.toml", recipes.dumps(recipe))
        describe(recipe, folder)
        audit(recipe, folder, data)
    train_stages(recipe, folder, data, fresh=fresh, untrained=untrained)


def finish(folder: Path, data: Path | None = None) -> Path:
    """Predict, evaluate and report a trained run, in the main process; return its folder."""
    if not is_main():
        return folder
    from pefomed.evaluate import evaluate_run
    from pefomed.predict import predict_run
    from pefomed.report import write_report

    predict_run(folder, data)
    evaluate_run(folder, data)
    write_report(folder)
    return folder


def demo(out: Path = Path("runs"), overrides: dict[str, Any] | None = None, *, fresh: bool = False) -> Path:
    """Run the shipped demo recipe on drawn images; return the run's folder."""
    return run(recipes.shipped("mini/demo.toml"), out, out / "demo-data", overrides, fresh=fresh)


def import_adapter(file: Path, recipe_path: Path, out: Path) -> Path:
    """Write a PeFoMed / MiniGPT-v2 `.pth` as the adapter folder `out`; return it.

    Raises:
        WeightsError: names every tensor that is missing, unexpected or of another shape.
    """
    from pefomed.model.exchange import import_adapter as import_into

    return import_into(file, recipes.load(recipe_path).model, out)


def export_adapter(folder: Path, file: Path) -> Path:
    """Write a run's adapter as a `.pth` that PeFoMed and MiniGPT-v2 load; return the file."""
    from pefomed.model.exchange import export_adapter as export_from

    return export_from(folder / "adapter", file)


def describe(recipe: Recipe, folder: Path) -> None:
    """Write the parameters of each part into the run."""
    from pefomed.model.describe import describe as describe_recipe

    write(folder / "describe.json", json.dumps(describe_recipe(recipe), indent=1))


def audit(recipe: Recipe, folder: Path, data: Path | None = None) -> None:
    """Write the leakage audit of the data that is trained on and predicted into the run."""
    from pefomed.data.audits.recipe import audit_recipe

    write(folder / "audit.json", json.dumps(audit_recipe(recipe, data), indent=1, ensure_ascii=False))


def _open(path: Path, out: Path, overrides: dict[str, Any] | None) -> tuple[Recipe, Path]:
    """Return the recipe and the folder of its run."""
    if path.is_dir():
        return recipes.load(path / "recipe.toml", overrides), path
    recipe = recipes.load(path, overrides)
    return recipe, out / recipe.name


def _check_same(recipe: Recipe, folder: Path) -> None:
    kept = folder / "recipe.toml"
    if not kept.exists():
        return
    before = recipes.load(kept)
    changed = [
        key
        for key in ("seed", "model", "prompt", "data", "stages")
        if _fixed(before, key) != _fixed(recipe, key)
    ]
    if changed:
        raise RunError(
            f"{folder} holds a run of another recipe",
            found=f"different: {', '.join(changed)}",
            remedy="give the recipe another name, choose another --out, or start anew with --fresh",
        )


def _fixed(recipe: Recipe, key: str) -> Any:
    """Return what must not change in a run; how many images may be missing may."""
    if key == "data":
        return {name: data.model_copy(update={"max_unreadable": 0}) for name, data in recipe.data.items()}
    return getattr(recipe, key)
