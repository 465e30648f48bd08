"""p by sign flips, against its definition and SciPy's permutation test."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pefomed.metrics.statistics.paired import mcnemar
from pefomed.metrics.statistics.sign_flips import p_of_figures, p_of_means


def counted(differences: NDArray[np.float64]) -> float:
    """The definition: every way to flip the signs, as a loop."""
    observed = abs(differences.sum())
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    return float(np.mean([one >= observed - 1e-9 for one in sums]))


def ratio(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return totals[:, :1] / totals[:, 1:]


def test_three_images_better_by_the_same_give_a_quarter() -> None:
    # Of 8 ways to flip three signs, the one there is and its opposite are as far from 0.
    assert p_of_means(np.array([0.5, 0.5, 0.5]), 2000, 0) == (0.25, "exact sign flips by image, 3 images")
    assert p_of_means(np.array([0.1, 0.2, 0.3, 0.0]), 2000, 0)[0] == 0.25
    assert p_of_means(np.array([0.7]), 2000, 0) == (1.0, "exact sign flips by image, 1 image")
    assert p_of_means(np.zeros(9), 2000, 0) == (1.0, "exact sign flips by image, 0 images")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9), st.sampled_from([1.0, 0.1, 1 / 3]))
def test_every_way_is_counted(differences: list[int], unit: float) -> None:
    values = np.array(differences) * unit
    assert p_of_means(values, 10, 0)[0] == pytest.approx(counted(values))


def test_scipys_permutation_test_agrees() -> None:
    random = np.random.default_rng(1)
    few, many = random.normal(0.3, 1, 10), random.normal(0.15, 1, 90)
    exact = stats.permutation_test(
        (few, np.zeros(10)), lambda a, b: (a - b).mean(), permutation_type="samples", n_resamples=np.inf
    )
    assert p_of_means(few, 2000, 0)[0] == pytest.approx(exact.pvalue)
    drawn = stats.permutation_test(
        (many, np.zeros(90)), lambda a, b: (a - b).mean(), permutation_type="samples", n_resamples=9999, rng=2
    )
    p, how = p_of_means(many, 10_000, 0)
    assert how == "10,000 drawn sign flips by image, seed 0"
    # Two draws of 10,000: sd sqrt(2 p (1 - p) / 10,000) is at most .007.
    assert p == pytest.approx(drawn.pvalue, abs=0.02)
    assert p_of_means(many, 10_000, 0)[0] == p != p_of_means(many, 10_000, 1)[0]


@given(st.integers(0, 40), st.integers(0, 40))
def test_single_items_right_or_wrong_have_mcnemars_p(up: int, down: int) -> None:
    a = np.array([False] * up + [True] * down + [True], dtype=bool)
    b = np.array([True] * up + [False] * down + [True], dtype=bool)
    p, how = p_of_means(b.astype(float) - a, 100, 0)
    assert p == pytest.approx(mcnemar(a, b))
    assert how.startswith("exact sign flips")


def test_whole_numbers_are_exact_for_hundreds_of_images() -> None:
    random = np.random.default_rng(5)
    differences = random.integers(-5, 6, 300).astype(float)
    exact, how = p_of_means(differences, 100, 0)
    assert how == f"exact sign flips by image, {np.count_nonzero(differences)} images"
    signs = np.random.default_rng(1).choice((-1, 1), size=(10_000, 300))
    drawn = (np.abs(signs @ differences) >= abs(differences.sum())).mean()
    assert exact == pytest.approx(drawn, abs=0.02)  # sd of 10,000 draws is at most .005


def test_a_figure_of_sums_has_the_two_systems_swapped_image_by_image() -> None:
    random = np.random.default_rng(3)
    a, b = (np.stack((random.random(7), 1 + random.random(7)), 1) for _ in range(2))
    observed = abs((ratio(b.sum(0)[None]) - ratio(a.sum(0)[None])).item())
    as_far = []
    for swapped in itertools.product((False, True), repeat=7):
        mask = np.array(swapped)[:, None]
        one, other = np.where(mask, b, a).sum(0)[None], np.where(mask, a, b).sum(0)[None]
        as_far.append(abs((ratio(one) - ratio(other)).item()) >= observed - 1e-12)
    [p], how = p_of_figures(a, b, ratio, 2000, 0)
    assert p == pytest.approx(np.mean(as_far))
    assert how == "exact sign flips by image, 7 images"


def test_equal_images_drawn_together_are_as_if_drawn_alone() -> None:
    # 60 images of one kind and 40 of another: only how many are swapped counts.
    kinds = np.repeat(np.array([[0.3, 0.0], [-0.3, 0.0]]), (60, 40), axis=0)
    a = np.stack((np.full(100, 0.5), np.ones(100)), 1)
    [p], _ = p_of_figures(a, a + kinds, ratio, 20_000, 0)
    # 20 more up than down of 100: 2 P(X >= 60), X ~ Binomial(100, 1/2).
    assert p == pytest.approx(stats.binomtest(60, 100).pvalue, abs=0.006)


def test_drawn_p_is_never_0() -> None:
    assert p_of_means(np.linspace(1, 1.5, 80), 999, 0)[0] == 1 / 1000
