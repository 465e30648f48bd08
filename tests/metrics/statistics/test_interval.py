import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pefomed.metrics.statistics.interval import (
    Interval,
    figure_intervals,
    mean_interval,
    mean_intervals,
    why_none,
)

Numbers = NDArray[np.float64]


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


@pytest.mark.parametrize(("right", "n"), [(1, 3), (2, 5), (7, 10), (99, 100), (600, 1000)])
def test_independent_right_and_wrong_have_the_exact_binomial_interval(right: int, n: int) -> None:
    # One item an image. The variance over images is p (1 - p) / (n - 1), so they are worth n - 1 items, or
    # 1 / (1 - 1 / n) fewer than there are: the exact interval of scipy with n - 1 in place of n.
    low, high = ends(mean_interval(np.arange(n) < right, np.arange(n)))
    share = right / n
    worth, worth_right = n - 1, share * (n - 1)
    assert low == pytest.approx(stats.beta.ppf(0.025, worth_right, worth - worth_right + 1))
    assert high == pytest.approx(stats.beta.ppf(0.975, worth_right + 1, worth - worth_right))
    exact = stats.binomtest(right, n).proportion_ci(0.95, method="exact")
    assert low <= exact.low
    assert high >= exact.high
    if n == 1000:
        assert (low, high) == pytest.approx((exact.low, exact.high), abs=5e-4)


def test_korn_and_graubards_limits_by_hand() -> None:
    # Four images of two questions, 2, 2, 1 and 0 of them right: 5/8. Without each: 3/6, 3/6, 4/6, 5/6,
    # changes of -1/8, -1/8, 1/24, 5/24: variance 3/4 * (9 + 9 + 1 + 25) / 576 = 33/576. The items are worth
    # 5/8 * 3/8 / (33/576) = 4.0909, times (t of 7 / t of 3)^2 = (2.36462 / 3.18245)^2 = 0.55208: 2.25851.
    low, high = ends(mean_interval(np.array([1, 1, 1, 1, 1, 0, 0, 0.0]), np.arange(8) // 2))
    worth = 135 / 33 * (stats.t.ppf(0.975, 7) / stats.t.ppf(0.975, 3)) ** 2
    assert worth == pytest.approx(2.25851, abs=1e-5)
    assert low == pytest.approx(stats.beta.ppf(0.025, worth * 5 / 8, worth * 3 / 8 + 1))
    assert high == pytest.approx(stats.beta.ppf(0.975, worth * 5 / 8 + 1, worth * 3 / 8))


def test_the_phrase_says_how() -> None:
    found = mean_interval(np.array([1.0, 0.0, 1.0]), np.arange(3), by="item")
    assert found is not None
    assert found.how == "95 % by item, jackknife, Korn-Graubard limits"


def test_asking_ten_times_about_an_image_adds_no_certainty() -> None:
    values = np.array([1.0] * 12 + [0.0] * 8)
    once = ends(mean_interval(values, np.arange(20)))
    ten_times = ends(mean_interval(np.repeat(values, 10), np.repeat(np.arange(20), 10)))
    # Not exactly: of 200 items t is 1.97 and of 20 it is 2.09.
    assert ten_times == pytest.approx(once, abs=0.02)


def test_images_of_unequal_size_are_worth_fewer() -> None:
    # Sizes 4, 1, 1: 36 / 18 = 2 equal images; with 9, 1, 1 it is 121 / 83 = 1.46, and there is no interval.
    values = np.array([1, 0, 1, 0, 1, 0.0])
    assert ends(mean_interval(values, np.array([0, 0, 0, 0, 1, 2])))
    found = mean_interval(np.array([1.0, 0] * 5 + [1]), np.array([0] * 9 + [1, 2]))
    assert found == (
        None, None, "none: too few images: 3, of which one has most items: worth 1.5 equal ones"
    )  # fmt: skip


def test_order_and_names_of_images_do_not_matter() -> None:
    random = np.random.default_rng(3)
    values, clusters = random.random(300), random.integers(40, size=300)
    order = random.permutation(300)
    first = mean_interval(values, clusters)
    assert mean_interval(values, clusters) == first
    assert ends(mean_interval(values, 1000 - clusters)) == pytest.approx(ends(first))
    assert ends(mean_interval(values[order], clusters[order])) == pytest.approx(ends(first))


@pytest.mark.parametrize("images", [1, 3, 40])
def test_all_alike_is_the_exact_binomial_by_image(images: int) -> None:
    clusters = np.repeat(np.arange(images), 2)
    right = mean_interval(np.ones(2 * images), clusters)
    wrong = mean_interval(np.zeros(2 * images), clusters)
    oracle = stats.binomtest(images, images).proportion_ci(0.95, method="exact")
    assert ends(right) == pytest.approx((oracle.low, 1.0))
    assert ends(wrong) == pytest.approx((0.0, 1 - oracle.low))
    # Neither right nor wrong: 0 is good for a rate of empty answers, and bad for exact match.
    assert right is not None
    assert wrong is not None
    assert right.how == "95 % exact binomial by image, as every item is 1"
    assert wrong.how == "95 % exact binomial by image, as every item is 0"


def test_what_is_all_at_the_top_of_its_own_scale() -> None:
    levels = mean_interval(np.full(6, 4.0), np.arange(6) // 2, top=4.0)
    assert ends(levels) == pytest.approx((4 * 0.025 ** (1 / 3), 4.0))
    [sums] = figure_intervals(
        np.stack((np.full(6, 4.0), np.ones(6)), 1),
        np.arange(6) // 2,
        lambda totals: totals[:, :1] / totals[:, 1:],
        tops=(4.0,),
    )
    assert sums == levels
    assert sums is not None
    assert sums.how == "95 % exact binomial by image, as every item is 4"


def test_too_few_images_are_said_to_be() -> None:
    one = mean_interval(np.array([1.0, 0.0]), np.array([7, 7]))
    assert one == (None, None, "none: too few images: 1")
    assert why_none(one.how) == "too few images"  # type: ignore[union-attr]
    assert mean_interval(np.array([1.0, 0.0]), np.array([0, 1])) == (None, None, "none: too few images: 2")
    assert ends(mean_interval(np.array([1.0, 0.0, 1.0]), np.array([0, 1, 2])))
    same = mean_interval(np.full(6, 0.5), np.arange(6))
    assert same == (None, None, "none: nothing varies from image to image")
    assert why_none("95 % exact") == ""


def test_nothing_where_nothing_is_wanted() -> None:
    assert mean_interval(np.array([1.0, 0.0]), np.array([0, 1]), draws=0) is None
    assert mean_interval(np.array([]), np.array([], dtype=np.int64)) is None
    assert figure_intervals(np.ones((3, 1)), np.arange(3), lambda totals: totals / 3, draws=0) == [None]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6)), min_size=1, max_size=40))
def test_within_the_range_and_around_the_value(items: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in items])
    interval = mean_interval(values, np.array([c for _, c in items]))
    assert interval is not None
    if interval.low is not None:
        low, high = ends(interval)
        assert 0.0 <= low <= values.mean() + 1e-12
        assert values.mean() - 1e-12 <= high <= 1.0


def test_a_million_items_in_a_second() -> None:
    random = np.random.default_rng(0)
    values, clusters = (
        (random.random(1_000_000) < 0.6).astype(float),
        random.integers(200_000, size=1_000_000),
    )
    start = time.process_time()
    mean_interval(values, clusters)
    assert time.process_time() - start < 2


def test_sums_give_the_interval_of_the_mean_they_are_sums_of() -> None:
    values = np.random.default_rng(2).random(600)
    clusters = np.arange(600) // 3
    found, none = figure_intervals(
        np.stack((values, np.ones(600)), 1),
        clusters,
        lambda totals: np.stack((totals[:, 0] / totals[:, 1], np.full(len(totals), 0.5)), 1),
    )
    assert ends(found) == pytest.approx(ends(mean_interval(values, clusters)))
    assert none == (None, None, "none: nothing varies from image to image")


def test_the_variance_of_a_ratio_is_that_of_the_delta_method() -> None:
    # x / y with correlated x and y, 400 images: (mean of (x - r y)^2) / (n mean(y)^2), limits 1.96 away.
    random = np.random.default_rng(4)
    y = 1 + random.random(400)
    x = y * (0.3 + 0.2 * random.random(400))
    ratio = x.sum() / y.sum()
    half = 1.96 * np.sqrt(((x - ratio * y) ** 2).mean() / 400) / y.mean()
    [found] = figure_intervals(np.stack((x, y), 1), np.arange(400), lambda t: t[:, :1] / t[:, 1:])
    assert ends(found) == pytest.approx((ratio - half, ratio + half), abs=half / 20)


def test_a_figure_that_needs_one_of_the_images_has_no_interval() -> None:
    sums = np.zeros((50, 2))
    sums[0, 0], sums[:, 1] = 1, 1

    def inverse(totals: Numbers) -> Numbers:
        return np.divide(1, totals[:, :1], out=np.full((len(totals), 1), np.nan), where=totals[:, :1] > 0)

    [found] = figure_intervals(sums, np.arange(50), inverse)
    assert found == (None, None, "none: no value without some images")
    [alone] = figure_intervals(sums, np.zeros(50, dtype=int), lambda totals: totals[:, :1] / 50)
    assert alone == (None, None, "none: too few images: 1")


def test_an_image_without_anything_to_add_is_none() -> None:
    sums = np.stack((np.arange(8.0) / 8, np.ones(8)), 1)
    more = np.concatenate((sums, np.zeros((20, 2))))

    def mean(totals: Numbers) -> Numbers:
        return totals[:, :1] / totals[:, 1:]

    assert figure_intervals(more, np.arange(28), mean) == figure_intervals(sums, np.arange(8), mean)


def test_many_images_are_left_out_in_groups() -> None:
    sums = np.stack((np.random.default_rng(5).random(5000), np.ones(5000)), 1)

    def mean(totals: Numbers) -> Numbers:
        return totals[:, :1] / totals[:, 1:]

    [alone] = figure_intervals(sums, np.arange(5000), mean, draws=5000)
    [groups] = figure_intervals(sums, np.arange(5000), mean, draws=500, seed=3)
    assert groups is not None
    assert groups.how.startswith("95 % by 500 groups of 5,000 images, seed 3, jackknife")
    # The variance of 500 groups has a relative error of sqrt(2 / 500) = 6 %, its root 3 %.
    widths = [high - low for low, high in (ends(groups), ends(alone))]
    assert widths[0] == pytest.approx(widths[1], rel=0.12)
    [same] = figure_intervals(sums, np.arange(5000), mean, draws=500, seed=3)
    [other] = figure_intervals(sums, np.arange(5000), mean, draws=500, seed=4)
    assert same == groups != other


def test_several_means_are_those_of_each() -> None:
    random = np.random.default_rng(2)
    clusters = np.repeat(np.arange(60), 3)
    columns = np.stack([random.random(180), np.ones(180), np.zeros(180), random.random(180) < 0.2], axis=1)
    for column, found in zip(columns.T, mean_intervals(columns, clusters), strict=True):
        alone = mean_interval(column, clusters)
        assert ends(found) == pytest.approx(ends(alone))
        assert found[2] == alone[2]  # type: ignore[index]
    assert mean_intervals(columns, clusters, draws=0) == [None] * 4
    one_image = mean_intervals(columns, np.zeros(180, dtype=np.int64))
    assert [one is not None and one.low is None for one in one_image] == [True, False, False, True]
