"""What can be known before the first training step is checked before it: all that is wrong is said together.

`pefomed run RECIPE --check` does only this and writes nothing into the run; `run` and `train` do it first.
What is finished in the run's folder is not looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.images import check_images
from pefomed.workflow.checks.memory import check_memory
from pefomed.workflow.checks.model import UnloadedModel, unloaded_model
from pefomed.workflow.checks.space import check_space
from pefomed.workflow.checks.splits import check_splits, is_finished, open_splits
from pefomed.workflow.checks.tools import check_tools


@dataclass(frozen=True)
class CheckReport:
    """What is known after all checks."""

    described: dict[str, Any]
    """What `describe.json` holds."""
    cut: list[str]
    """A sentence for each predicted split with questions that will be cut."""


def check(
    recipe: Recipe,
    run: Path,
    data_folder: Path | None = None,
    *,
    fresh: bool = False,
    untrained: bool = False,
) -> CheckReport:
    """Check `recipe` and its data for the run in the folder `run`; say what is doubtful.

    Args:
        fresh: what is in the folder will be thrown away.
        untrained: the recipe has no stage on purpose.

    Raises:
        PefomedError: the one thing that is wrong, or a `ChecksFailed` that lists them.
    """
    findings = Findings()
    found: UnloadedModel | None = None
    with findings.collecting():
        found = unloaded_model(recipe, untrained=untrained)
    stages = [stage for stage in recipe.stages if fresh or not is_finished(run, stage)]
    splits = open_splits(recipe, run, data_folder, stages, fresh=fresh)
    readable = check_splits(splits, recipe, found, findings)
    images = check_images(readable, findings)
    check_tools(recipe, readable, findings)
    if found is not None:
        check_space(recipe, run, found, images, findings, stages)
        check_memory(recipe, found, findings)
    findings.conclude()
    assert found is not None
    cut = [one.cut_text(recipe.prompt.max_text_tokens) for one in readable if one.cut]
    for text in cut:
        note(text)
    return CheckReport(found.described, cut)
