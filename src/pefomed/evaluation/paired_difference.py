"""What separates two runs in one metric: both figures, the difference, its interval, tests and items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pefomed.evaluation.groups import OVERALL
from pefomed.evaluation.item_scores import ItemKey, ItemTable
from pefomed.evaluation.score import numbered
from pefomed.metrics.lookup import metric_of
from pefomed.metrics.statistics.paired import Paired, mcnemar, paired_means
from pefomed.schema import Sample


@dataclass(frozen=True)
class PairedDifference:
    """What separates run b from run a in one metric: a positive difference means that b is higher."""

    metric: str
    dataset: str
    split: str
    n: int
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval, or None; `interval` says why."""
    interval: str
    """How the interval was made, or `none: ` and the reason; empty without draws."""
    p: float | None
    """Two-sided, by image; None without draws."""
    test: str
    """Which test `p` is of."""
    mcnemar: float | None = None
    """McNemar's exact p of right and wrong, which takes items as independent; None for other values."""
    better: tuple[str, ...] = ()
    """Sample ids whose value is better in b: higher, or of a rate of mistakes lower; empty for figures that
    are no mean of items."""
    worse: tuple[str, ...] = ()
    group: str = OVERALL
    """Which items: all, `boxes=any`, the phrases with boxes where there are others, or closed questions."""


@dataclass(frozen=True)
class AnsweredPair:
    """The samples of one split, and what two runs answered."""

    dataset: str
    split: str
    samples: list[Sample]
    runs: tuple[Path, Path]
    answers: tuple[list[str], list[str]]
    """Of each run, in the samples' order."""
    values: tuple[ItemTable, ItemTable]
    draws: int
    seed: int

    def places(self, tasks: Sequence[str]) -> list[int]:
        """Return the places of the samples of these tasks."""
        return [place for place, sample in enumerate(self.samples) if sample.task in tasks]

    def clusters(self, places: Sequence[int]) -> NDArray[np.int64]:
        """Return the number of each sample's image, shape (N,)."""
        return numbered([self.samples[place].images for place in places])


def paired_items(
    pair: AnsweredPair, metric: str, places: Sequence[int], keys: Sequence[ItemKey], group: str = OVERALL
) -> list[PairedDifference]:
    """Return the difference of the items that have a value in both runs, nothing where there are none.

    Args:
        places: of each item its sample's.
        keys: of each item, as item scores have them.
    """
    a, b = (table.column(metric, keys) for table in pair.values)
    there = np.flatnonzero(~np.isnan(a) & ~np.isnan(b)).tolist()
    if not there:
        return []
    return [item_difference(pair, metric, [places[at] for at in there], a[there], b[there], group=group)]


def item_difference(
    pair: AnsweredPair,
    metric: str,
    places: Sequence[int],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    *,
    group: str = OVERALL,
    decided: bool = True,
) -> PairedDifference:
    """Return the difference of the means of values of items, (N,) each.

    Args:
        places: of each item its sample's.
        decided: whether each value of a binary metric is 0 or 1, which McNemar's test asks for.
    """
    about = metric_of(metric)
    paired = paired_means(
        a, b, pair.clusters(places), top=about.most - about.least, draws=pair.draws, seed=pair.seed
    )
    ids = [pair.samples[place].id for place in places]
    better, worse = (b > a, b < a) if about.better == "higher" else (b < a, b > a)
    difference = figure_difference(pair, metric, len(places), float(a.mean()), float(b.mean()), paired)
    return replace(
        difference,
        group=group,
        mcnemar=mcnemar(a == 1.0, b == 1.0) if about.binary and decided else None,
        # Once each: a caption has an item for every phrase.
        better=tuple(dict.fromkeys(sample_id for sample_id, is_so in zip(ids, better, strict=True) if is_so)),
        worse=tuple(dict.fromkeys(sample_id for sample_id, is_so in zip(ids, worse, strict=True) if is_so)),
    )


def figure_difference(
    pair: AnsweredPair, metric: str, n: int, a: float, b: float, paired: Paired
) -> PairedDifference:
    """Return the difference of two figures of `n` items."""
    interval = paired.interval
    return PairedDifference(
        metric=metric,
        dataset=pair.dataset,
        split=pair.split,
        n=n,
        a=a,
        b=b,
        difference=paired.difference,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.how if interval else "",
        p=paired.p,
        test=paired.test,
    )
