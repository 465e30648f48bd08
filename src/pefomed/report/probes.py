"""Samples asked otherwise, as the page shows them: a sentence, all measures, the first of them by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pefomed.evaluation.probe_sentence import probe_sentences
from pefomed.metrics.lookup import metric_of, named
from pefomed.metrics.metric import OVERALL
from pefomed.report.figures import cell_of, of_split
from pefomed.report.sheet import Column, Sheet, SheetLine, sheet_name
from pefomed.schema import Score


@dataclass(frozen=True)
class ShownProbes:
    """One split of one data set."""

    title: str
    split: str
    sentence: str
    """How much of the score needs the image."""
    table: Sheet
    """Every measure of all samples."""
    groups: Sheet | None
    """The measures that stand first, by group."""

    @property
    def sheets(self) -> list[Sheet]:
        return [self.table, *([self.groups] if self.groups else [])]


def shown_probes(scores: Sequence[Score], dataset: str, split: str, title: str) -> ShownProbes | None:
    """Return what the probes found of a split; None where none was answered."""
    mine = [s for s in of_split(scores, dataset, split) if s.metric in _NAMES and s.system == "model"]
    if not mine:
        return None
    found = {(score.metric, score.group): score for score in mine}
    present = [name for name in _NAMES if (name, OVERALL) in found]
    lines = [
        SheetLine((metric_of(name).title,), (cell_of(found[name, OVERALL]), str(found[name, OVERALL].n)))
        for name in present
    ]
    notes = [f"{metric_of(name).title}: {metric_of(name).definition}" for name in present]
    stem, of = sheet_name(dataset, split, "probes"), f"{title}, {split}"
    columns = (Column("value", "value"), Column("n", "n"))
    table = Sheet(stem, f"Asked otherwise, {of}", ("measure",), columns, lines, notes)
    sentence = " ".join(probe_sentences(mine)).partition(": ")[2]
    return ShownProbes(title, split, sentence, table, _by_group(stem, of, found, present))


def _by_group(
    stem: str, of: str, found: dict[tuple[str, str], Score], present: Sequence[str]
) -> Sheet | None:
    groups = dict.fromkeys(group for _, group in found if group != OVERALL)
    names = [name for name in present if name in _BY_GROUP]
    if not (groups and names):
        return None
    columns = tuple(Column(name, metric_of(name).heading) for name in names)
    lines = []
    for group in groups:
        scores = [found.get((name, group)) for name in names]
        if any(scores):
            label = group.replace("=", ": ").replace("_", " ")
            lines.append(SheetLine((label,), tuple(cell_of(one) if one else None for one in scores)))
    return Sheet(f"{stem}-groups", f"Asked otherwise by group, {of}", ("group",), columns, lines)


_NAMES = named("probes")
_BY_GROUP = (
    "probe_right", "probe_right_needs_image", "probe_swap_changed", "probe_mean_changed",
    "probe_mirror_followed", "probe_paraphrase_flipped", "probe_right_for_picture", "probe_right_by_habit",
    "probe_steady_blind", "probe_unsteady", "probe_swap_iou", "probe_mirror_iou", "probe_absent_boxes",
)  # fmt: skip
"""What stands in the table by group; every figure is in `scores.jsonl`."""
