"""What a threshold promises, held against answers: validation pictures drawn anew, the others answered.

    python -m benchmarks.promise RUN --splits slake=validate slake=test

The pictures of these answers (of RUN/predictions or RUN/calibration, with their log-probability) are parted
at random: some are the validation set of `metrics.risk_control`, the rest new pictures. Over many such
partings and each level: the share of new questions that is answered, the share of wrong ones among these
(mean over partings, all partings together, the highest), and how many partings lie above the level, which is
no promise.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.evaluation.threshold import judged_answers
from pefomed.metrics.risk_control import control

LEVELS = (0.02, 0.05, 0.1, 0.15, 0.2)
TIMES = 200

Floats = NDArray[np.float64]


class Measured(NamedTuple):
    """What came of many partings at one level, as shares."""

    level: float
    answered: float
    wrong: float
    together: float
    highest: float
    above: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each level."""
    parser = argparse.ArgumentParser(description="How often answered questions are wrong.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--splits", nargs="+", required=True, metavar="NAME=SPLIT")
    parser.add_argument("--by", default="probability")
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--share", type=float, default=0.5, help="of the pictures that are validation")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    pairs = [(name, split) for name, _, split in (word.partition("=") for word in asked.splits)]
    confidence, wrong, pictures = judged_answers(asked.run, pairs, asked.by)
    count = len(np.unique(pictures))
    print(f"{len(wrong):,} answers about {count:,} pictures, {100 * wrong.mean():.1f} % of them wrong")
    print(f"{asked.times} partings, {100 * asked.share:g} % of the pictures are validation, in percent:")
    print("| level | answered | wrong of these | all partings together | highest parting | partings above |")
    print("| --- | --- | --- | --- | --- | --- |")
    for level in LEVELS:
        row = measured(confidence, wrong, pictures, level, asked.times, asked.share, asked.seed)
        print("| " + " | ".join(f"{100 * value:.3g}" for value in row) + " |")


def measured(
    confidence: Floats,
    wrong: Floats,
    pictures: NDArray[np.int64],
    level: float,
    times: int = TIMES,
    share: float = 0.5,
    seed: int = 0,
) -> Measured:
    """Return what comes of parting the pictures so often, at one level."""
    random = np.random.default_rng(seed)
    names = np.unique(pictures)
    counts = []
    for _ in range(times):
        known = np.isin(pictures, random.permutation(names)[: round(share * len(names))])
        found = control(confidence[known], wrong[known], pictures[known], level)
        least = np.inf if found.threshold is None else found.threshold
        given = ~known & (confidence >= least)
        counts.append((float(given.sum()), float(wrong[given].sum()), float((~known).sum())))
    answered, mistaken, asked = np.array(counts).T
    rates = mistaken / np.maximum(answered, 1)
    return Measured(
        level,
        float((answered / asked).mean()),
        float(rates.mean()),
        float(mistaken.sum() / max(answered.sum(), 1)),
        float(rates.max()),
        float((rates > level).mean()),
    )


if __name__ == "__main__":
    main()
