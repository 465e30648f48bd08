"""Several runs side by side: which they are, and their scores in one table with floors and published rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, RunError
from pefomed.machine_paths import short_name
from pefomed.recipe.arms import STAGES
from pefomed.report.figures import kind_of
from pefomed.report.run import ReportedRun, read_run
from pefomed.schema import Score

ABLATION = "ablation.json"


@dataclass(frozen=True)
class LabelledRun:
    """A run under the name it has in a comparison."""

    label: str
    run: ReportedRun


def is_ablation(folder: Path) -> bool:
    """Return whether `folder` holds the arms of an ablation instead of a run."""
    return (folder / ABLATION).is_file()


@dataclass(frozen=True)
class Arms:
    """The runs of an ablation, in its order."""

    recipe: str
    base: LabelledRun
    """What the others are compared with."""
    runs: list[LabelledRun]

    @property
    def are_stages(self) -> bool:
        """Whether the arms are the recipe's stages, of which the base has all."""
        return self.base.label == STAGES[-1]


def read_arms(folder: Path) -> Arms:
    """Return the arms of an ablation.

    Raises:
        DataError: ablation.json or a file of an arm is damaged.
        RunError: an arm's folder is missing.
    """
    path = folder / ABLATION
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        recipe = str(content["recipe"])
        arms = [(str(arm["name"]), folder / str(arm["run"])) for arm in content["arms"]]
        base = str(content.get("base", STAGES[-1]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged",
            found=f"{type(error).__name__}: {error}",
            remedy="delete it and run `pefomed ablate` again",
        ) from None
    if base not in dict(arms):
        raise RunError(f"{path} names no arm {base!r}", remedy="run `pefomed ablate` again")
    runs = [LabelledRun(name, read_run(place)) for name, place in arms]
    return Arms(recipe, next(run for run in runs if run.label == base), runs)


def named(folders: Sequence[Path]) -> list[LabelledRun]:
    """Return the runs of `folders` and the arms of ablations, those of the same name told apart by folder.

    Raises:
        RunError: a folder does not exist or holds nothing of a run.
        DataError: one of its files is damaged.
    """
    named_runs: list[LabelledRun] = []
    for folder in folders:
        if is_ablation(folder):
            arms = read_arms(folder)
            named_runs += [LabelledRun(f"{arms.recipe}, {arm.label}", arm.run) for arm in arms.runs]
        else:
            run = read_run(folder)
            named_runs.append(LabelledRun(run.name, run))
    counts = Counter(each.label for each in named_runs)
    return [
        each
        if counts[each.label] == 1
        else LabelledRun(f"{each.label} ({short_name(str(each.run.folder))})", each.run)
        for each in named_runs
    ]


def joined_scores(runs: Sequence[LabelledRun]) -> list[Score]:
    """Return the scores of all runs as of systems `run:LABEL`, with each floor and published row once.

    A floor that differs between runs (another training split) is kept for each run that has it so.
    """
    of_models: list[Score] = []
    shared: dict[tuple[str, ...], Score] = {}
    for run in runs:
        for score in run.run.scores:
            if score.system == "model":
                of_models.append(score.model_copy(update={"system": f"run:{run.label}"}))
            elif kind_of(score.system) in ("floor", "ceiling", "published"):
                key = (score.system, score.metric, score.dataset, score.split, score.group)
                known = shared.setdefault(key, score)
                if known != score:
                    system = f"{score.system} ({run.label})"
                    of_models.append(score.model_copy(update={"system": system}))
    return [*of_models, *shared.values()]
