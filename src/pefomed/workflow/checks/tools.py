"""What training and scoring need beside the model: trackers, groups to score by, METEOR."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.errors import RecipeError, nearest
from pefomed.metrics.captions import meteor
from pefomed.recipe import Recipe
from pefomed.tasks import TEXTS
from pefomed.training.log import checked_trackers
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.splits import CheckedSplit


def check_tools(recipe: Recipe, splits: Sequence[CheckedSplit], findings: Findings) -> None:
    """Add trackers that are not installed and groups that no predicted sample has; say that METEOR lacks."""
    with findings.collecting():
        checked_trackers(recipe.compute.trackers)
    predicted = [one for one in splits if one.predicted]
    # Only where all of it could be read: what is missing may be in the rest.
    if predicted and len(predicted) == len(recipe.predict.data):
        known = {key for one in predicted for key in one.meta}
        for group in recipe.evaluate.groups:
            if group not in known:
                findings.wrong(
                    RecipeError(
                        f"evaluate.groups names {group!r}, which no sample to be predicted has",
                        remedy=nearest(group, known) if known else "leave it out; they have no meta values",
                    )
                )
    if any(one.tasks & {*TEXTS} and one.left for one in predicted) and isinstance(lack := meteor.find(), str):
        why = lack.removeprefix("no METEOR: ")
        findings.doubt(f"captions and reports will be scored without METEOR: {why}")
