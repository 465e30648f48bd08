"""Ablation: the arms of a recipe, each a run beside the recipe's own, compared on one page.

The arms are those that the recipe's file names (`[arms.NAME]`, see `recipe.arms`), or else its stages: no
training, the captions alone, the task alone, both, as in PeFoMed's tables. The recipe's own run, in its
ordinary folder, is taken as it is if it is there. A stage that an arm shares with it, to the last setting,
is taken over instead of trained again; everything else is computed and resumed like any run. The frozen
features are kept for all of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pefomed import recipe as recipes
from pefomed.datasets.read_once import read_once
from pefomed.errors import RecipeError, named
from pefomed.files.storage import write
from pefomed.recipe import Recipe
from pefomed.recipe.arms import BASE, STAGES, choose_arms
from pefomed.runs import RunFolder
from pefomed.runs import log as run_log
from pefomed.runs.lock import FILE, hold
from pefomed.workflow import pipeline

if TYPE_CHECKING:
    from pefomed.workflow.checks.check import CheckReport


def ablate(
    recipe_path: Path,
    out: Path = Path("runs"),
    data: Path | None = None,
    overrides: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
    arms: Sequence[str] = (),
    stages: bool = False,
) -> Path:
    """Train, predict and score every arm of `recipe_path`; return the folder `out / "<name>-ablation"`.

    Its `ablation.json` names the arms' runs: {"recipe", "base", "arms": [{"name", "run"}]}, paths relative
    to it. `base` is the arm that the others are compared with.

    Args:
        arms: names of the arms, if not all that the recipe's file has.
        stages: the arms are the stages, even if the file names others. Their folder is the same one.

    Raises:
        RecipeError: an arm's recipe is not valid, or the arms are stages and there are fewer than two.
        RunError: another process works in the folder, or in one of the runs.
        ChecksFailed: something is wrong with an arm, found before anything is trained.
    """
    recipe = recipes.load(recipe_path, overrides)
    named_arms = {} if stages else choose_arms(recipes.load_arms(recipe_path, overrides), tuple(arms))
    base = BASE if named_arms else STAGES[-1]
    if not named_arms:
        named_arms = _stages_apart(recipe, recipe_path)
    folder = out / f"{recipe.name}-ablation"
    with hold(folder), read_once():
        checked = {}
        for name, arm in named_arms.items():
            with named(f"arm {name!r}"):
                checked[name] = pipeline.check_recipe(
                    arm, folder / name, data, fresh=fresh, untrained=not arm.stages
                )
        whole = pipeline.run(recipe_path, out, data, overrides, fresh=fresh)
        for name, arm in named_arms.items():
            _run(arm, recipe, whole, folder / name, data, checked[name], fresh=fresh)
        runs, own = {name: name for name in named_arms}, {base: f"../{whole.name}"}
        _write(folder, recipe.name, base, own | runs if base == BASE else runs | own)
    return folder


def _stages_apart(recipe: Recipe, path: Path) -> dict[str, Recipe]:
    if len(recipe.stages) < 2:
        raise RecipeError(
            f"an ablation of stages needs two of them; {path} has {len(recipe.stages)}",
            remedy='name arms in its file, as [arms.NAME] and under it "stages.0.lr" = 1e-4, or name a recipe'
            " with a stage of captions and one of the task, e.g. recipes/mini/slake.toml",
        )
    stages = dict(zip(STAGES, ((), recipe.stages[:-1], recipe.stages[-1:]), strict=False))
    return {
        name: recipe.model_copy(update={"name": f"{recipe.name}-{name}", "stages": kept})
        for name, kept in stages.items()
    }


def _run(
    arm: Recipe,
    recipe: Recipe,
    whole: Path,
    folder: Path,
    data: Path | None,
    checked: CheckReport,
    *,
    fresh: bool,
) -> None:
    """Train, predict and score one arm in `folder`; stages that it shares with `recipe` come from `whole`."""
    shared = arm.stages[: _shared_stages(arm, recipe)]
    if shared:
        _share(whole, folder, [stage.name for stage in shared], fresh=fresh)
    pipeline.train_recipe(
        arm, folder, data, fresh=fresh and not shared, untrained=not arm.stages, checked=checked
    )
    pipeline.finish(folder, data)


def _shared_stages(arm: Recipe, recipe: Recipe) -> int:
    """Return how many of the first stages come out alike for both: all that they depend on is the same."""
    if any(getattr(arm, part) != getattr(recipe, part) for part in _COMMON):
        return 0
    count = 0
    for ours, theirs in zip(arm.stages, recipe.stages, strict=False):
        if ours != theirs or any(arm.data[name] != recipe.data[name] for name in ours.data):
            break
        count += 1
    return count


_COMMON = ("seed", "tasks", "model", "prompt", "compute")
"""Parts of a recipe that every stage depends on."""


def _share(whole: Path, arm: Path, names: Sequence[str], *, fresh: bool) -> None:
    """Put the finished stages `names` of the run `whole`, with their lines of the log, into `arm`."""
    from pefomed.training import checkpoint

    with hold(arm):
        if fresh:
            for path in arm.iterdir():
                if path.name != FILE:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in names:
            final = RunFolder(arm).final(name)
            if not final.exists():
                # What the stage came from is there before the stage counts as done.
                for file in RunFolder(whole).stage(name).glob("*.json*"):
                    write(final.parent / file.name, file.read_bytes())
                checkpoint.save_final(final, RunFolder(whole).final(name))
        log = RunFolder(arm).log_file
        if not log.exists():
            kept = [
                text for text, line in run_log.lines(RunFolder(whole).log_file) if line.get("stage") in names
            ]
            write(log, "".join(text + "\n" for text in kept))


def _write(folder: Path, recipe: str, base: str, runs: Mapping[str, str]) -> None:
    content = {
        "recipe": recipe,
        "base": base,
        "arms": [{"name": name, "run": run} for name, run in runs.items()],
    }
    write(folder / "ablation.json", json.dumps(content, indent=1) + "\n")
