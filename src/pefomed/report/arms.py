"""The arms of an ablation in one short table: what each changes, its headline figure, and what that gives."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.evaluation.groups import OVERALL
from pefomed.evaluation.paired_difference import PairedDifference
from pefomed.metrics.lookup import heads
from pefomed.report.differences import difference_line
from pefomed.report.runs import LabelledRun
from pefomed.report.sheet import Column, Sheet, SheetLine, sheet_name

_HEADLINES = tuple(heads(kind)[0][0].name for kind in ("words", "boxes", "text"))
"""The first metric of each kind of answer."""

_COLUMNS = (
    Column("base", "Base"),
    Column("arm", "Arm"),
    Column("difference", "Difference"),
    Column("p", "p"),
)


def arm_sheet(
    compared: Sequence[tuple[LabelledRun, Sequence[PairedDifference]]], base: LabelledRun
) -> Sheet | None:
    """Return a line for each arm and data set; None if no headline figure was compared.

    Args:
        compared: each arm with its differences from `base`.
    """
    lines = []
    for arm, differences in compared:
        for difference in _headlines(differences):
            whole = difference_line(difference)
            lines.append(SheetLine((arm.label, _changes(arm), *whole.labels), whole.entries[: len(_COLUMNS)]))
    if not lines:
        return None
    title = f"The arms against {base.label}, the recipe as it stands; shares in percent"
    notes = ["one run of each arm: another seed moves the figures too, which the intervals do not hold"]
    return Sheet(sheet_name("arms"), title, ("arm", "changes", "data", "metric"), _COLUMNS, lines, notes)


def _headlines(differences: Sequence[PairedDifference]) -> list[PairedDifference]:
    """Return of each data set the first headline figure that it has."""
    by_data: dict[tuple[str, str], dict[str, PairedDifference]] = {}
    for difference in differences:
        if difference.group == OVERALL:
            by_data.setdefault((difference.dataset, difference.split), {})[difference.metric] = difference
    return [by_metric[name] for by_metric in by_data.values() for name in _HEADLINES if name in by_metric]


def _changes(arm: LabelledRun) -> str:
    """Return what the arm's recipe says that it changes."""
    described = arm.run.recipe.description if arm.run.recipe else ""
    return described.removeprefix(f"Arm {arm.label}: ").removesuffix(".") or "–"  # noqa: RUF001
