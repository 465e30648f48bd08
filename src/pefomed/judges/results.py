"""What several runs of one judge say together: mean and spread, majority, and how often it changes its mind.

    mean = mean over runs of (mean label of the run's scored items)
    sd   = standard deviation of these over R runs, divided by R - 1
    flips = share of the items scored in two runs or more whose labels are not all the same

An unscored verdict (`None`) is in no mean; it is counted.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pefomed.schema import Verdict


@dataclass(frozen=True)
class Results:
    """The runs of one rater on one scale."""

    mean: float | None
    """None without a scored verdict."""
    sd: float | None
    """None with fewer than two runs."""
    by_run: Mapping[int, float]
    """The mean label of each run, in [0, 1] or [0, 4]."""
    majority: Mapping[str, int | None]
    """Each item's most frequent label, the lower where two tie; None if it was never scored."""
    majority_mean: float | None
    flips: float | None
    """None if no item was scored twice."""
    items: int
    scored: int
    """Verdicts with a label; `unscored` are those without."""
    unscored: int


def results(verdicts: Iterable[Verdict]) -> Results:
    """Return the results of one rater's verdicts, one for each item and run.

    Of two verdicts for the same item and run the later counts.
    """
    by_item: dict[str, dict[int, int | None]] = {}
    for verdict in verdicts:
        by_item.setdefault(verdict.sample_id, {})[verdict.run] = verdict.label
    by_run: dict[int, list[int]] = {}
    for labels in by_item.values():
        for run, label in labels.items():
            if label is not None:
                by_run.setdefault(run, []).append(label)
    means = {run: statistics.fmean(labels) for run, labels in sorted(by_run.items())}
    majority = {item: _majority(labels.values()) for item, labels in by_item.items()}
    decided = [label for label in majority.values() if label is not None]
    repeated = [found for found in map(_scored, by_item.values()) if len(found) > 1]
    scored = sum(map(len, by_run.values()))
    return Results(
        mean=statistics.fmean(means.values()) if means else None,
        sd=statistics.stdev(means.values()) if len(means) > 1 else None,
        by_run=means,
        majority=majority,
        majority_mean=statistics.fmean(decided) if decided else None,
        flips=sum(len(set(found)) > 1 for found in repeated) / len(repeated) if repeated else None,
        items=len(by_item),
        scored=scored,
        unscored=sum(map(len, by_item.values())) - scored,
    )


def _scored(labels: Mapping[int, int | None]) -> list[int]:
    return [label for label in labels.values() if label is not None]


def _majority(labels: Iterable[int | None]) -> int | None:
    counts = Counter(label for label in labels if label is not None)
    return min(counts, key=lambda label: (-counts[label], label)) if counts else None
