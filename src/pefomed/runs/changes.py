"""Whether a recipe may go on in a run's folder: what was trained must be as it says, the rest may change.

Of what a stage has begun with, these may differ:

    name, description, [compute], [predict], [evaluate]   they come after training, or say where it runs
    data sets that no begun stage uses                     only predicted, or of later stages
    max_unreadable; where checkpoints are kept             what is trained does not follow from them
    max_text_tokens, too_long                              if the same samples are too long: none, as a rule
    where weights and data lie; accumulate                 if each begun stage has kept what it came from

Stages that have not begun may be anything. All else is another recipe.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed import recipe as recipes
from pefomed.errors import RecipeError, RunError
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.recipe import WEIGHTS, Recipe, Stage
from pefomed.runs import RunFolder
from pefomed.runs import log as run_log

CAME_FROM = "came_from.json"
"""Of a stage's folder: the hashes of what it came from, see `training/came_from.py`."""


def begun_otherwise(recipe: Recipe, folder: Path) -> list[str]:
    """Return what differs from the recipe that the folder holds, where it may.

    Raises:
        RunError: something that was trained would be another thing now.
    """
    kept = RunFolder(folder).recipe_file
    if not kept.exists():
        return []
    begun = begun_stages(folder)
    try:
        before = recipes.load(kept)
    except RecipeError:
        if begun is None or begun:
            raise
        return ["all"]
    done = [stage for stage in before.stages if begun is None or stage.name in begun]
    # Without a stage on purpose, or answered already, the run is of its whole recipe.
    names = {name for stage in done for name in stage.data} if done else set(before.data)
    trained = begun is None or bool(begun)
    changed = _changed(before, recipe, done, names, folder) if trained else []
    if begun is None and len(recipe.stages) != len(before.stages):
        changed.append("stages")
    if changed:
        raise RunError(
            f"{folder} holds a run of another recipe",
            found=f"different: {', '.join(dict.fromkeys(changed))}",
            remedy="give the recipe another name, choose another --out, or start anew with --fresh",
        )
    keys = ("seed", "tasks", "model", "prompt", "data", "stages")
    return [key for key in keys if getattr(before, key) != getattr(recipe, key)]


def make_room(recipe: Recipe, folder: Path) -> None:
    """Let `recipe` be the one of the folder; what stages have left that did not get far is removed.

    Raises:
        RunError: as `begun_otherwise`.
    """
    changed = begun_otherwise(recipe, folder)
    begun = begun_stages(folder)
    if not changed or begun is None:
        return
    note(f"{folder}: {', '.join(changed)} changed, nothing of which is trained yet; the recipe is replaced")
    _forget_all_but(begun, folder)


def begun_stages(folder: Path) -> set[str] | None:
    """Return the stages of which something is kept; None if the run has more than stages: all are done."""
    run = RunFolder(folder)
    if run.adapter.exists() or any(run.predictions.glob("*.jsonl")):
        return None
    made = (path for kind in ("step-*", "final") for path in run.stages.glob(f"*/{kind}"))
    return {path.parent.name for path in made}


def _changed(
    before: Recipe, recipe: Recipe, done: Sequence[Stage], names: set[str], folder: Path
) -> list[str]:
    """Return which of the recipe's tables would have trained the stages `done` otherwise."""
    # `training/came_from.py` then compares their hashes and the batches of a step.
    moved = all((RunFolder(folder).stage(stage.name) / CAME_FROM).exists() for stage in done) and bool(done)
    changed = [] if before.seed == recipe.seed else ["seed"]
    if _model(before, moved=moved) != _model(recipe, moved=moved):
        changed.append("model")
    if _prompt(before) != _prompt(recipe):
        changed.append("prompt")
    if any(task != recipe.tasks.get(name) for name, task in before.tasks.items()):
        changed.append("tasks")
    if any(_data(before, name, moved=moved) != _data(recipe, name, moved=moved) for name in names):
        changed.append("data")
    own = [_stage(stage, moved=moved) for stage in recipe.stages[: len(done)]]
    if own != [_stage(stage, moved=moved) for stage in done]:
        changed.append("stages")
    if "data" not in changed and _affected(before, recipe, done, names, folder):
        changed.append("prompt.max_text_tokens or too_long, by which samples were left out or cut")
    return changed


def _prompt(recipe: Recipe) -> Any:
    return recipe.prompt.model_copy(update={"max_text_tokens": 1})


def _model(recipe: Recipe, *, moved: bool) -> Any:
    """Return what must not change of [model]; which weights they are, their hashes tell."""
    return recipe.model.model_dump(exclude=set(WEIGHTS) if moved else None)


def _data(recipe: Recipe, name: str, *, moved: bool) -> Any:
    found = recipe.data.get(name)
    free = {"max_unreadable": 0, "too_long": "error"} | ({"root": ""} if moved else {})
    return found and found.model_copy(update=free)


def _stage(stage: Stage, *, moved: bool) -> Any:
    # Batches a step are looked at with the number of processes, which nobody knows here.
    return stage.model_copy(update={"checkpoint_every": 1} | ({"accumulate": 1} if moved else {}))


def _affected(before: Recipe, recipe: Recipe, done: Sequence[Stage], names: set[str], folder: Path) -> bool:
    """Return whether other samples of begun stages could be too long by the new rules."""
    most, then = recipe.prompt.max_text_tokens, before.prompt.max_text_tokens
    rules = [
        (before.data[name].too_long, recipe.data[name].too_long) for name in names if name in recipe.data
    ]
    if most == then and all(old == new for old, new in rules):
        return False
    stages = {stage.name for stage in done}
    log = run_log.lines(RunFolder(folder).log_file, tell=False)
    if any(line.get("too_long") and line["stage"] in stages for _, line in log):
        return True
    # A stage that has begun had no text above its limit; under a lower one it might.
    return most < then


def _forget_all_but(stages: set[str], folder: Path) -> None:
    """Remove what other stages have left: lists of samples, lines of the log."""
    for stage in RunFolder(folder).stages.glob("*/"):
        if stage.name not in stages:
            shutil.rmtree(stage)
    log = RunFolder(folder).log_file
    if log.exists():
        kept = [text for text, line in run_log.lines(log) if line["stage"] in stages]
        write(log, "".join(text + "\n" for text in kept))
