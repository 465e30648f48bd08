"""What judges and human raters said of each item, as the item browser shows and filters it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pefomed.agreement.panels import RaterPanel, panels_of
from pefomed.agreement.raters import Labeller
from pefomed.agreement.splits import read_splits

UNSCORED = "without a label"


@dataclass(frozen=True)
class ItemLabel:
    """A judge's, or all human raters', labels of one item."""

    title: str
    human: bool
    binary: bool
    labels: tuple[float, ...]
    """One for each rater or run that gave one; empty if all failed."""
    joint: int | None
    """Right 1 or wrong 0 by majority, or the mean level rounded; None on a tie or without labels."""
    reason: str

    @property
    def text(self) -> str:
        """`7 of 10 right`, `right`, `mean level 3.2 (2 to 4)`."""
        if not self.labels:
            return UNSCORED
        count = len(self.labels)
        if self.binary:
            right = int(sum(self.labels))
            return f"{right} of {count} right" if count > 1 else ("right" if right else "wrong")
        if count == 1:
            return f"level {self.labels[0]:g}"
        low, high = min(self.labels), max(self.labels)
        spread = f"{low:g} to {high:g}" if low < high else "all the same"
        return f"mean level {sum(self.labels) / count:.1f} ({spread})"

    @property
    def flips(self) -> bool:
        return len(set(self.labels)) > 1


def item_labels(run: Path, labellers: Sequence[Labeller]) -> dict[str, list[ItemLabel]]:
    """Return the labels of every item that anybody was asked about: sample id -> judges, then humans."""
    by_sample: dict[str, list[ItemLabel]] = {}
    reasons = {labeller.title: labeller.reasons for labeller in labellers}
    comments: dict[str, str] = {}
    for labeller in labellers:
        if labeller.kind == "human":
            for sample_id, reason in labeller.reasons.items():
                said = f"{labeller.title}: {reason}"
                comments[sample_id] = f"{comments[sample_id]}; {said}" if sample_id in comments else said
    asked = {
        labeller.title if labeller.kind != "human" else "": {
            i for labels in labeller.labels.values() for i in labels
        }
        for labeller in labellers
    }
    for split in read_splits(run) if labellers else ():
        for panel in panels_of(split, labellers):
            human = panel.kind == "human"
            given = comments if human else reasons.get(panel.title, {})
            wanted = None if human else asked.get(panel.title)
            _add(by_sample, split.ids, panel, human, given, wanted)
    return by_sample


def marks_of(labels: Sequence[ItemLabel], exact: int | None) -> dict[str, list[str]]:
    """Return what an item can be filtered by: levels, agreement with exact match and with people, flips."""
    marks: dict[str, list[str]] = {}
    human = next((label for label in labels if label.human), None)
    for label in labels:
        if not label.binary:
            marks[f"level by {label.title}"] = [UNSCORED if label.joint is None else str(label.joint)]
        elif label.joint is not None and exact is not None:
            words = ("wrong", "right")
            marks[f"exact match / {label.title}"] = [f"{words[exact]} / {words[label.joint]}"]
        elif label.joint is None:
            marks[f"exact match / {label.title}"] = [UNSCORED if not label.labels else "tie"]
        if not label.human and len(label.labels) > 1:
            marks[f"runs of {label.title}"] = ["flip" if label.flips else "all the same"]
        if not label.human and human and None not in (label.joint, human.joint):
            same = label.joint == human.joint
            marks[f"{label.title} / {human.title}"] = ["agree" if same else "disagree"]
    return marks


def _add(
    by_sample: dict[str, list[ItemLabel]],
    ids: Sequence[str],
    panel: RaterPanel,
    human: bool,
    reasons: Mapping[str, str],
    asked: set[str] | None,
) -> None:
    joint = panel.majority
    for place, sample_id in enumerate(ids):
        given = panel.ratings[place]
        labels = tuple(float(label) for label in given[~np.isnan(given)])
        if labels or (asked is not None and sample_id in asked):
            by_sample.setdefault(sample_id, []).append(
                ItemLabel(
                    title=panel.title,
                    human=human,
                    binary=panel.scale == "binary",
                    labels=labels,
                    joint=None if np.isnan(joint[place]) else int(joint[place]),
                    reason=reasons.get(sample_id, ""),
                )
            )
