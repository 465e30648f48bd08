"""Intervals hold the truth, and p is below .05 by chance, as often as they say: drawn data of known truth.

The bounds are quantiles of the binomial distribution of 1 in 10,000; everything is drawn from a seed.
`python -m benchmarks.levels` measures the same at length, beside other methods.
"""

from collections.abc import Callable

import numpy as np
import pytest
from benchmarks import levels
from benchmarks.drawn_scores import KINDS, clusters_of, null_pair
from numpy.typing import NDArray
from scipy import stats

from pefomed.agreement import cohen_kappa
from pefomed.metrics.statistics.interval import mean_interval
from pefomed.metrics.statistics.paired import paired_figures, paired_means

TRIALS = 300
KAPPAS = 100
RARE = 1e-4


@pytest.mark.parametrize("images", [3, 5, 10, 20, 50, 100])
@pytest.mark.parametrize("kind", ["right", "values"])
def test_false_alarms_are_at_most_five_in_a_hundred(kind: str, images: int) -> None:
    random = np.random.default_rng(images)
    p = np.array(
        [paired_means(*null_pair(random, images, "unequal", kind), draws=199).p for _ in range(TRIALS)],
        dtype=np.float64,
    )
    alarms = int((p < 0.05).sum())
    assert alarms <= stats.binom.ppf(1 - RARE, TRIALS, 0.05)
    if images >= 20:  # and not far fewer: p below .05 has 2 of 8 values with 3 images, none below .25
        assert alarms >= stats.binom.ppf(RARE, TRIALS, 0.05)
    else:
        assert p.min() >= 2 / 2**images


@pytest.mark.parametrize("images", [3, 10, 100])
def test_false_alarms_of_a_figure_of_sums(images: int) -> None:
    def square(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return (totals[:, :1] / totals[:, 1:]) ** 2

    random = np.random.default_rng(images)
    alarms = 0
    for _ in range(TRIALS):
        pair = null_pair(random, images, "unequal", "values")
        ones = np.ones(len(pair.a))
        a, b = (np.stack((side, ones), 1) for side in (pair.a, pair.b))
        [found] = paired_figures(a, b, pair.clusters, square, draws=199)
        assert found.p is not None
        alarms += found.p < 0.05
    assert alarms <= stats.binom.ppf(1 - RARE, TRIALS, 0.05)


@pytest.mark.parametrize("images", [3, 5, 10, 20, 50])
@pytest.mark.parametrize("size", ["1", "5", "unequal"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "skewed"])
def test_intervals_hold_the_truth(kind: str, size: str, images: int) -> None:
    random = np.random.default_rng(images)
    held = 0
    for _ in range(TRIALS):
        clusters = clusters_of(random, images, size)
        found = mean_interval(KINDS[kind].draw(random, clusters), clusters)
        assert found is not None
        held += found.low is None or found.low <= KINDS[kind].truth <= (found.high or 0.0)
    assert held >= stats.binom.ppf(RARE, TRIALS, 0.93)


@pytest.mark.parametrize("images", [5, 20])
def test_intervals_of_kappa_hold_the_truth(images: int) -> None:
    # Each rater gives the true label, half 1, in 80 %: they agree in .8^2 + .2^2 = .68, by chance in .5.
    # Kappa is .18 / .5.
    random = np.random.default_rng(images)
    given = held = 0
    for _ in range(KAPPAS):
        truth = random.random(4 * images) < 0.5
        one, other = (truth != (random.random((2, 4 * images)) < 0.2)).astype(float)
        found = cohen_kappa(one, other, clusters=np.arange(4 * images) // 4)
        if found.low is not None and found.high is not None:
            given += 1
            held += found.low <= 0.36 <= found.high
    assert given > 0.9 * KAPPAS
    assert held >= stats.binom.ppf(RARE, given, 0.93)


@pytest.mark.parametrize("measure", [levels.coverage, levels.coverage_of_differences, levels.alarms])
def test_the_tables_that_are_printed(measure: Callable[[int], list[list[str]]]) -> None:
    rows = measure(1)
    images = levels.ALARM_IMAGES if measure is levels.alarms else levels.IMAGES
    # Of one drawn set an interval holds the truth or does not, and p is below .05 or is not.
    assert {len(row) for row in rows} == {3 + len(images)}
    assert {share for row in rows for share in row[3:]} <= {"0.0", "100.0"}
    assert any(row[2] == "ours" for row in rows)
