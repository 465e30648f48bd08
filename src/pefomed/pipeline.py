"""A run from recipe to report: train, predict, evaluate, report, each resumed where it stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pefomed import recipe as recipes
from pefomed.errors import RecipeError, RunError
from pefomed.processes import is_main
from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.run_lock import hold
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
    recipe, folder = _open(recipe_path, out, overrides)
    with hold(folder):
        train_recipe(recipe, folder, data, fresh=fresh)
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
        RunError: the folder holds a run of another recipe, or another process works in it.
    """
    from pefomed.training import train as train_stages

    with hold(folder):
        if is_main():
            if not fresh:
                _make_room(recipe, folder)
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

    with hold(folder):
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


def _make_room(recipe: Recipe, folder: Path) -> None:
    """Let `recipe` be the one of the folder: what has been trained must be as it says, the rest may change.

    Raises:
        RunError: something that was trained would be another thing now.
    """
    kept = folder / "recipe.toml"
    if not kept.exists():
        return
    begun = _begun(folder)
    try:
        before = recipes.load(kept)
    except RecipeError:
        if begun is None or begun:
            raise
        return
    changed = [
        key
        for key in ("seed", "model", "prompt", "data", "stages")
        if _fixed(before, key) != _fixed(recipe, key)
    ]
    if not changed:
        return
    done = [stage for stage in before.stages if begun is None or stage.name in begun]
    only_later = changed == ["stages"] and list(recipe.stages[: len(done)]) == done
    if begun is None or (begun and not only_later):
        raise RunError(
            f"{folder} holds a run of another recipe",
            found=f"different: {', '.join(changed)}",
            remedy="give the recipe another name, choose another --out, or start anew with --fresh",
        )
    note(f"{folder}: {', '.join(changed)} changed before any of it was trained; the recipe is replaced")
    _forget_all_but(begun, folder)


def _begun(folder: Path) -> set[str] | None:
    """Return the stages of which something is kept; None if the run has more than stages: all are done."""
    if (folder / "adapter").exists() or any((folder / "predictions").glob("*.jsonl")):
        return None
    made = (path for kind in ("step-*", "final") for path in (folder / "checkpoints").glob(f"*/{kind}"))
    return {path.parent.name for path in made}


def _forget_all_but(stages: set[str], folder: Path) -> None:
    """Remove what other stages have left: lists of samples, lines of the log."""
    for stage in (folder / "checkpoints").glob("*/"):
        if stage.name not in stages:
            shutil.rmtree(stage)
    log = folder / "log.jsonl"
    if log.exists():
        lines = log.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if any(f'"stage": {json.dumps(name)}' in line for name in stages)]
        write(log, "".join(line + "\n" for line in kept))


def _fixed(recipe: Recipe, key: str) -> Any:
    """Return what must not change in a run; how many images may be missing may."""
    if key == "data":
        return {name: data.model_copy(update={"max_unreadable": 0}) for name, data in recipe.data.items()}
    return getattr(recipe, key)
