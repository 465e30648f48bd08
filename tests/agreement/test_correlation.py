from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pefomed.agreement import bias, kendall_tau_b, pearson_r, spearman_rho
from pefomed.agreement.correlation import _kendall, _pearson, _ranks

ALL = (kendall_tau_b, spearman_rho, pearson_r)


def test_values_by_hand() -> None:
    # Of the 6 pairs of items 5 are concordant and 1 discordant: tau = 4/6. Ranks differ by
    # 0, 1, -1, 0: rho = 1 - 6 * 2 / (4 * 15) = .8, and r is the same, as values are ranks.
    one, other = [1, 2, 3, 4], [1, 3, 2, 4]
    assert kendall_tau_b(one, other, draws=0).value == pytest.approx(4 / 6)
    assert spearman_rho(one, other, draws=0).value == pytest.approx(0.8)
    assert pearson_r(one, other, draws=0).value == pytest.approx(0.8)
    # With ties: 2 pairs concordant, none discordant; 5 pairs differ in x, 3 in y.
    assert kendall_tau_b([1, 1, 2, 3], [1, 2, 2, 2], draws=0).value == pytest.approx(2 / np.sqrt(5 * 3))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_draws_agree_with_scipy(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 12))
    level = st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0])
    pairs = np.array(data.draw(st.lists(st.tuples(level, level), min_size=n, max_size=n)))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    drawn = np.repeat(pairs, weights, axis=0)
    if len(drawn) < 2 or (np.ptp(drawn, axis=0) == 0).any():
        return
    row = weights[None].astype(float)
    distinct, codes = np.unique(pairs, axis=0, return_inverse=True)
    x, y = pairs.T
    assert _kendall(distinct, codes.ravel())(row)[0] == pytest.approx(
        stats.kendalltau(*drawn.T).statistic, abs=1e-9
    )
    assert _pearson(_ranks(x)(row), _ranks(y)(row), row)[0] == pytest.approx(
        stats.spearmanr(*drawn.T).statistic, abs=1e-9
    )
    assert _pearson(x[None], y[None], row)[0] == pytest.approx(stats.pearsonr(*drawn.T).statistic, abs=1e-9)


@pytest.mark.parametrize("coefficient", ALL)
def test_the_interval_is_near_that_of_scipys_bootstrap(coefficient: Callable[..., object]) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=60)
    y = x + random.normal(size=60)
    oracle = {kendall_tau_b: stats.kendalltau, spearman_rho: stats.spearmanr, pearson_r: stats.pearsonr}
    expected = stats.bootstrap(
        (x, y), lambda a, b: oracle[coefficient](a, b).statistic, paired=True, vectorized=False,
        n_resamples=600, method="percentile", rng=2,
    ).confidence_interval  # fmt: skip
    found = coefficient(x, y, draws=2000)
    assert found.low == pytest.approx(expected.low, abs=0.05)  # type: ignore[attr-defined]
    assert found.high == pytest.approx(expected.high, abs=0.05)  # type: ignore[attr-defined]


def test_bias_is_the_mean_difference() -> None:
    # PeFoMed's judge against its raters on 100 reports: 3.08 - 2.24 = 0.84.
    judge, human = [3, 4, 3, 2, 4], [2, 4, 2, 1, 3]
    found = bias(judge, human)
    assert found.value == pytest.approx(0.8)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.8 <= found.high
    assert bias(human, judge, draws=0).value == pytest.approx(-0.8)


def test_bias_of_equal_labels_is_nought_without_an_interval() -> None:
    found = bias([1, 1, 1], [1, 1, 1])
    assert (found.value, found.low) == (0.0, None)
    assert "the same without any" in found.note


@pytest.mark.parametrize("coefficient", ALL)
def test_constants_and_too_few_items_give_the_reason(coefficient: Callable[..., object]) -> None:
    constant, few = coefficient([1, 1, 1], [1, 2, 3]), coefficient([1, None], [2, 3])
    assert constant.value is None  # type: ignore[attr-defined]
    assert "same value" in constant.note  # type: ignore[attr-defined]
    assert few.value is None  # type: ignore[attr-defined]
    assert "fewer than 2" in few.note  # type: ignore[attr-defined]


def test_one_image_has_no_interval() -> None:
    found = pearson_r([1, 2, 3], [1, 3, 2], clusters=[7, 7, 7])
    assert (found.value, found.low) == (pytest.approx(0.5), None)
    assert found.note == "no interval: too few images: 1"


def test_many_different_values_have_tau_without_an_interval() -> None:
    x = np.arange(1600.0)
    found = kendall_tau_b(x, -x)
    assert (found.value, found.low) == (-1.0, None)
    assert "1,500 different pairs" in found.note


@pytest.mark.parametrize("coefficient", ALL)
@pytest.mark.filterwarnings("error")
def test_two_items_agree_or_disagree_wholly(coefficient: Callable[..., object]) -> None:
    # SciPy's asymptotic p of tau divides by n - 2.
    assert coefficient([1, 2], [3, 4]).value == pytest.approx(1.0)  # type: ignore[attr-defined]
    assert coefficient([1, 2], [4, 3]).value == pytest.approx(-1.0)  # type: ignore[attr-defined]
