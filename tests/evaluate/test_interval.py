import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pefomed.evaluate import interval
from pefomed.evaluate.interval import bootstrap, bootstrap_sums

Numbers = NDArray[np.float64]


def one_by_one(values: Numbers, clusters: NDArray[np.int64], draws: int) -> tuple[float, float]:
    """The definition: draw images with replacement, pool the items of the drawn images."""
    random = np.random.default_rng(1)
    members = [values[clusters == c] for c in np.unique(clusters)]
    means = [
        np.concatenate([members[i] for i in random.integers(len(members), size=len(members))]).mean()
        for _ in range(draws)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def test_same_as_drawing_images_one_by_one() -> None:
    random = np.random.default_rng(0)
    clusters = random.integers(30, size=200)
    values = (random.random(200) < 0.2 + 0.6 * (clusters % 2)).astype(float)
    interval = bootstrap(values, clusters, draws=20_000)
    assert interval is not None
    low, high = one_by_one(values, clusters, draws=4000)
    # The Monte Carlo error of a 2.5 % quantile of 4000 draws is about 0.05 of the interval's width.
    assert interval.low == pytest.approx(low, abs=0.015)
    assert interval.high == pytest.approx(high, abs=0.015)


def test_independent_items_give_the_normal_interval() -> None:
    values = np.array([1.0] * 600 + [0.0] * 400)
    interval = bootstrap(values, np.arange(1000))
    # 0.6 +- 1.96 * sqrt(0.6 * 0.4 / 1000) = 0.6 +- 0.0304
    assert interval is not None
    assert interval.low == pytest.approx(0.5696, abs=0.003)
    assert interval.high == pytest.approx(0.6304, abs=0.003)
    assert interval.how == "95 % bootstrap by image, 2000 draws, seed 0"


def test_asking_ten_times_about_an_image_adds_no_certainty() -> None:
    values = np.array([1.0] * 12 + [0.0] * 8)
    once = bootstrap(values, np.arange(20))
    ten_times = bootstrap(np.repeat(values, 10), np.repeat(np.arange(20), 10))
    assert once is not None
    assert ten_times is not None
    assert ten_times[:2] == pytest.approx(once[:2])


def test_the_seed_and_nothing_else_decides() -> None:
    random = np.random.default_rng(3)
    values, clusters = random.random(300), random.integers(40, size=300)
    order = random.permutation(300)
    first = bootstrap(values, clusters)
    assert bootstrap(values, clusters) == first
    assert bootstrap(values, 1000 - clusters)[:2] == pytest.approx(first[:2])  # type: ignore[index]
    assert bootstrap(values[order], clusters[order])[:2] == pytest.approx(first[:2])  # type: ignore[index]
    assert bootstrap(values, clusters, seed=1) != first


@pytest.mark.parametrize("images", [1, 3, 40])
def test_all_alike_is_the_exact_binomial_by_image(images: int) -> None:
    clusters = np.repeat(np.arange(images), 2)
    right = bootstrap(np.ones(2 * images), clusters)
    wrong = bootstrap(np.zeros(2 * images), clusters)
    oracle = stats.binomtest(images, images).proportion_ci(0.95, method="exact")
    assert right is not None
    assert wrong is not None
    assert (right.low, right.high) == pytest.approx((oracle.low, 1.0))
    assert (wrong.low, wrong.high) == pytest.approx((0.0, 1 - oracle.low))
    assert "exact binomial" in right.how


def test_none_where_there_is_nothing_to_draw() -> None:
    values = np.array([1.0, 0.0])
    assert bootstrap(values, np.array([7, 7])) is None  # one image
    assert bootstrap(values, np.array([0, 1]), draws=0) is None
    assert bootstrap(np.array([]), np.array([], dtype=np.int64)) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
def test_within_the_range_of_the_values(items: list[tuple[bool, int]]) -> None:
    interval = bootstrap(
        np.array([float(right) for right, _ in items]), np.array([c for _, c in items]), draws=200
    )
    if interval is not None:
        assert 0.0 <= interval.low <= interval.high <= 1.0


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    # 60 images of 5 questions, the images' own difficulty makes questions dependent; truth 0.5.
    random = np.random.default_rng(5)
    clusters = np.repeat(np.arange(60), 5)
    covered = 0
    for trial in range(200):
        difficulty = np.repeat(random.choice([0.2, 0.8], size=60), 5)
        values = (random.random(300) < difficulty).astype(float)
        interval = bootstrap(values, clusters, draws=400, seed=trial)
        assert interval is not None
        covered += interval.low <= 0.5 <= interval.high
    # 200 * 0.95 = 190; three standard deviations of that count are 9, the bootstrap's own bias a few.
    assert 178 <= covered <= 200


def test_ten_thousand_items_in_well_under_a_second() -> None:
    random = np.random.default_rng(0)
    values, clusters = (random.random(10_000) < 0.6).astype(float), random.integers(2000, size=10_000)
    start = time.process_time()
    bootstrap(values, clusters)
    assert time.process_time() - start < 0.5


def test_sums_give_the_interval_of_the_mean_they_are_sums_of() -> None:
    values = np.random.default_rng(2).random(600)
    clusters = np.arange(600) // 3
    plain = bootstrap(values, clusters)
    [found, none] = bootstrap_sums(
        np.stack((values, np.ones(600)), 1),
        clusters,
        lambda totals: np.stack((totals[:, 0] / totals[:, 1], np.full(len(totals), 0.5)), 1),
    )
    assert plain is not None
    assert found is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.004)
    assert found.how == plain.how
    assert none is None  # the same in every draw


def test_a_figure_that_most_draws_do_not_have_has_no_interval() -> None:
    sums = np.zeros((50, 1))
    sums[0] = 1  # a draw has this item with a chance of 1 - 0.98^50 = 64 %

    def inverse(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(1, totals, out=np.full(totals.shape, np.nan), where=totals > 0)

    assert bootstrap_sums(sums, np.arange(50), inverse) == [None]
    assert bootstrap_sums(sums, np.zeros(50, dtype=int), lambda totals: totals) == [None]


def test_many_different_clusters_are_drawn_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random(3000)
    pairs = bootstrap(values, np.arange(3000))
    monkeypatch.setattr(interval, "_MOST_PAIRS", 10)
    drawn = bootstrap(values, np.arange(3000))
    assert pairs is not None
    assert drawn is not None
    assert pairs != drawn
    assert (pairs.low, pairs.high) == pytest.approx((drawn.low, drawn.high), abs=0.002)
