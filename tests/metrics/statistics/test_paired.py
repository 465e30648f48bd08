"""Differences of two systems on the same items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pefomed.metrics.statistics.paired import Paired, mcnemar, paired_figures, paired_means


def ends(paired: Paired) -> tuple[float, float]:
    assert paired.interval is not None
    assert paired.interval.low is not None
    assert paired.interval.high is not None
    return paired.interval.low, paired.interval.high


def test_mcnemar_by_hand() -> None:
    a = np.array([True] * 5 + [False] * 7)
    b = np.array([True] * 4 + [False] + [True] * 6 + [False])
    # 1 only in a, 6 only in b: 2 * (C(7,0) + C(7,1)) / 2^7 = 16 / 128
    assert mcnemar(a, b) == 0.125
    assert mcnemar(b, a) == 0.125
    assert mcnemar(a, a) == 1.0


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_scipys_binomial_test(only_a: int, only_b: int) -> None:
    a = np.array([True] * only_a + [False] * only_b + [True], dtype=bool)
    b = np.array([False] * only_a + [True] * only_b + [True], dtype=bool)
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected)


def test_mcnemar_of_many_differing_items() -> None:
    a = np.arange(4000) < 1900
    assert mcnemar(a, ~a) == pytest.approx(stats.binomtest(1900, 4000).pvalue)


@pytest.mark.parametrize("n", [4, 8, 500])
def test_values_have_the_interval_and_p_of_the_paired_t_test(n: int) -> None:
    random = np.random.default_rng(3)
    a = 0.4 + 0.02 * random.normal(size=n)
    b = a + 0.003 + 0.02 * random.normal(size=n)
    found = paired_means(a, b, np.arange(n), draws=20_000)
    t = stats.ttest_rel(b, a)
    assert found.difference == pytest.approx((b - a).mean())
    low, high = t.confidence_interval()
    # In the middle of -1 to 1 the limits are as good as Student's; slightly wider, never narrower.
    assert ends(found)[0] <= low + 1e-9
    assert ends(found)[1] >= high - 1e-9
    assert ends(found) == pytest.approx((low, high), abs=0.15 * (high - low))
    if n == 500:  # of few images p has few values
        assert found.p == pytest.approx(t.pvalue, abs=0.02)


def test_right_and_wrong_have_the_interval_of_bonett_and_price() -> None:
    # 100 items, one an image: 12 only right in b, 4 only in a. (12 + 1) / 102 and (4 + 1) / 102 differ by
    # 8 / 102; variance (18/102 - (8/102)^2) / 102; t of 99 in place of the normal quantile.
    a, b = np.zeros(100), np.zeros(100)
    b[:12], a[12:16] = 1, 1
    found = paired_means(a, b, np.arange(100))
    half = stats.t.ppf(0.975, 99) * np.sqrt((18 / 102 - (8 / 102) ** 2) / 102)
    assert ends(found) == pytest.approx((8 / 102 - half, 8 / 102 + half), abs=5e-4)
    assert found.p == pytest.approx(stats.binomtest(4, 16).pvalue)
    assert found.test == "exact sign flips by image, 16 images"


def test_images_are_swapped_whole() -> None:
    a, b = np.zeros(40), np.repeat([0.0, 1.0], 20)
    one = paired_means(a, b, np.arange(40))
    four = paired_means(a, b, np.arange(40) // 4)
    assert one.p == pytest.approx(2 / 2**20)
    assert four.p == 2 / 2**5  # 5 images are better
    widths = [high - low for low, high in (ends(one), ends(four))]
    assert widths[1] / widths[0] > 1.8  # sqrt(4) = 2, less what the two more items add


def test_equal_systems_do_not_differ_and_few_images_say_so() -> None:
    a, b = np.zeros(40), np.repeat([0.0, 1.0], 20)
    same = paired_means(a, a, np.arange(40))
    assert (same.difference, same.p) == (0.0, 1.0)
    low, high = ends(same)
    assert low == -high
    # No item of 40 differs: up to 1 - 0.025^(1/40) = 8.8 % might, in either direction.
    assert 0.06 < high < 0.12
    alone = paired_means(a, b, np.zeros(40, dtype=int))
    assert (alone.difference, alone.p) == (0.5, 1.0)
    assert alone.interval == (None, None, "none: too few images: 1")
    by_the_same = paired_means(np.full(3, 0.5), np.ones(3), np.arange(3))
    assert by_the_same.interval == (None, None, "none: all images differ by the same")
    assert by_the_same.p == 0.25


def test_without_draws_there_is_neither_interval_nor_p() -> None:
    a, b = np.zeros(5), np.ones(5)
    assert paired_means(a, b, np.arange(5), draws=0) == (1.0, None, None, "")
    sums = np.ones((5, 2))
    [found] = paired_figures(sums, sums, np.arange(5), lambda t: t[:, :1] / t[:, 1:], draws=0)
    assert found == (0.0, None, None, "")


def test_a_figure_of_sums_that_is_a_mean_is_compared_as_one() -> None:
    random = np.random.default_rng(7)
    a, b, clusters = random.random(60), random.random(60), np.arange(60) // 5

    def mean(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return totals[:, :1] / totals[:, 1:]

    plain = paired_means(a, b, clusters)
    [sums] = paired_figures(np.stack((a, np.ones(60)), 1), np.stack((b, np.ones(60)), 1), clusters, mean)
    assert sums.difference == pytest.approx(plain.difference)
    assert ends(sums) == pytest.approx(ends(plain))
    assert (sums.p, sums.test) == (plain.p, plain.test)
    assert sums.test == "exact sign flips by image, 12 images"
