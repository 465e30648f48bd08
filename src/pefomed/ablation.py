"""Ablation of the stages: no training, the captions alone, the task alone, both; as in PeFoMed's tables.

`both` is the ordinary run of the recipe, in its ordinary folder: it is taken as it is if it is there.
`stage-1` starts from that run's own checkpoint, so that the stage is trained once. What the arms do not
share (stage 2 without stage 1, and predictions) is computed and resumed like any run. The frozen
features are kept for all of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed import pipeline
from pefomed import recipe as recipes
from pefomed.errors import RecipeError
from pefomed.recipe import Recipe, Stage
from pefomed.runs import RunFolder
from pefomed.runs import log as run_log
from pefomed.runs.lock import FILE, hold
from pefomed.storage import write

ARMS = ("none", "stage-1", "stage-2", "both")


def ablate(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> Path:
    """Train, predict and score every arm of `recipe_path`; return the folder `out / "<name>-ablation"`.

    Its `ablation.json` names the arms' runs: {"recipe", "arms": [{"name", "run"}]}, paths relative to it.

    Raises:
        RecipeError: the recipe has fewer than two stages.
        RunError: another process works in the folder, or in one of the runs.
    """
    recipe = recipes.load(recipe_path, overrides)
    if len(recipe.stages) < 2:
        raise RecipeError(
            f"an ablation of stages needs two of them; {recipe_path} has {len(recipe.stages)}",
            remedy="name a recipe with a stage of captions and one of the task, e.g. recipes/mini/slake.toml",
        )
    folder = out / f"{recipe.name}-ablation"
    with hold(folder):
        return _ablate(recipe, recipe_path, folder, data, overrides, fresh=fresh)


def _ablate(
    recipe: Recipe,
    recipe_path: Path,
    folder: Path,
    data: Path | None,
    overrides: dict[str, Any] | None,
    *,
    fresh: bool,
) -> Path:
    out = folder.parent
    both = pipeline.run(recipe_path, out, data, overrides, fresh=fresh)
    _arm(recipe, (), folder / "none", data, fresh=fresh)
    first = recipe.stages[:-1]
    _share(both, folder / "stage-1", first, fresh=fresh)
    _arm(recipe, first, folder / "stage-1", data, fresh=False)
    _arm(recipe, recipe.stages[-1:], folder / "stage-2", data, fresh=fresh)
    runs = {arm: arm for arm in ARMS[:-1]} | {ARMS[-1]: f"../{both.name}"}
    arms = [{"name": arm, "run": runs[arm]} for arm in ARMS]
    write(folder / "ablation.json", json.dumps({"recipe": recipe.name, "arms": arms}, indent=1) + "\n")
    return folder


def _arm(recipe: Recipe, stages: Sequence[Stage], folder: Path, data: Path | None, *, fresh: bool) -> None:
    arm = recipe.model_copy(update={"name": f"{recipe.name}-{folder.name}", "stages": tuple(stages)})
    pipeline.train_recipe(arm, folder, data, fresh=fresh, untrained=not stages)
    pipeline.finish(folder, data)


def _share(both: Path, arm: Path, stages: Sequence[Stage], *, fresh: bool) -> None:
    """Put the finished `stages` of the run `both`, and their lines of the log, into the folder `arm`."""
    from pefomed.training import checkpoint

    names = [stage.name for stage in stages]
    with hold(arm):
        if fresh:
            for path in arm.iterdir():
                if path.name != FILE:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in names:
            final = RunFolder(arm).final(name)
            if not final.exists():
                # What the stage came from is there before the stage counts as done.
                for file in RunFolder(both).stage(name).glob("*.json*"):
                    write(final.parent / file.name, file.read_bytes())
                checkpoint.save_final(final, RunFolder(both).final(name))
        log = RunFolder(arm).log_file
        if not log.exists():
            kept = [
                text for text, line in run_log.lines(RunFolder(both).log_file) if line.get("stage") in names
            ]
            write(log, "".join(text + "\n" for text in kept))
