"""Raters whose labels are joined: all humans of a run, or all runs of one judge.

One label an item from several of them: the majority of right and wrong, the mean of levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.agreement.raters import Labeller
from pefomed.agreement.records import Levels
from pefomed.agreement.splits import RatedSplit
from pefomed.metrics.wasm import wasm
from pefomed.tasks import Scale


@dataclass(frozen=True)
class RaterPanel:
    """A judge or the humans, with their labels of one split."""

    name: str
    """A judge's name, empty for the humans."""
    title: str
    kind: str
    scale: Scale
    ratings: Floats
    """Labels of N items by R raters or runs, NaN where there is none, shape (N, R)."""

    @property
    def raters(self) -> int:
        """How many gave at least one label."""
        return int((~np.isnan(self.ratings)).any(axis=0).sum())

    @property
    def means(self) -> Floats:
        """Each item's mean label, shape (N,)."""
        return _mean_label(self.ratings)

    @property
    def majority(self) -> Floats:
        """Each item's joint label, shape (N,)."""
        return _majority_label(self.ratings, self.scale)

    @property
    def ties(self) -> int:
        """The number of labelled items without a joint label."""
        labelled = ~np.isnan(self.ratings).all(axis=1)
        return int((labelled & np.isnan(self.majority)).sum())


def panels_of(split: RatedSplit, raters: Sequence[Labeller]) -> list[RaterPanel]:
    """Return a panel for each judge, then one of all humans; none for whom nothing here is labelled."""
    panels = [
        RaterPanel(rater.name, rater.title, rater.kind, split.scale, rater.matrix(split.ids))
        for rater in raters
        if rater.kind != "human"
    ]
    # A human rates once; a second run would be the same person again: the first counts.
    humans = [rater.matrix(split.ids)[:, 0] for rater in raters if rater.kind == "human"]
    humans = [labels for labels in humans if not np.isnan(labels).all()]
    if humans:
        title = f"{len(humans)} human raters" if len(humans) > 1 else "One human rater"
        panels.append(RaterPanel("", title, "human", split.scale, np.column_stack(humans)))
    return [panel for panel in panels if panel.raters]


def levels_of(split: RatedSplit, panel: RaterPanel) -> Levels:
    """Return how often a panel gave each level, as the mean over its raters or runs, and the WASM of it."""
    counts = [float((panel.ratings == level).sum()) / panel.raters for level in range(5)]
    return Levels(
        dataset=split.dataset,
        split=split.split,
        rater=panel.name,
        title=panel.title,
        kind=panel.kind,
        raters=panel.raters,
        counts=tuple(counts),
        wasm=wasm(counts),
        n=int((~np.isnan(panel.ratings)).any(axis=1).sum()),
    )


def _mean_label(ratings: Floats) -> Floats:
    """Return each item's mean label, NaN without any: (N, R) -> (N,)."""
    given = ~np.isnan(ratings)
    count = given.sum(axis=1)
    total = np.where(given, ratings, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _majority_label(ratings: Floats, scale: Scale) -> Floats:
    """Return each item's label, NaN where there is none: (N, R) -> (N,).

    Binary: what more than half of the raters say; a tie has no majority. Levels: the mean, rounded to
    the nearest level, halves up.
    """
    mean = _mean_label(ratings)
    if scale == "level":
        return np.floor(mean + 0.5)
    return np.where(mean == 0.5, np.nan, np.round(mean))
