"""Calibration and selective risk against scikit-learn, torchmetrics' and netcal's values, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from pefomed.metrics.confidence import (
    BINS,
    WIDTHS,
    aurc,
    auroc,
    best_aurc,
    calibration_error,
    masses,
    reliability,
    risks,
)
from pefomed.metrics.known import METRICS

answers = st.lists(
    st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60
)


def drawn(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    confidence = random.beta(4, 2, n)
    return confidence, (random.random(n) < confidence**1.5).astype(float)


@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_the_bins_are_scikit_learns(equal_mass: bool, strategy: str) -> None:
    for seed in range(5):
        confidence, right = drawn(seed)
        bins = reliability(confidence, right, masses(confidence) if equal_mass else WIDTHS)
        theirs = calibration_curve(right, confidence, n_bins=BINS, strategy=strategy)
        assert np.allclose([one.right for one in bins], theirs[0])
        assert np.allclose([one.confidence for one in bins], theirs[1])
        assert sum(one.n for one in bins) == len(right)


def test_confidence_at_an_end_counts_below_it() -> None:
    """1 / 15 and 0 lie in the first bin of 15, 1 in the last, as in scikit-learn and Guo's own code."""
    bins = reliability(np.array([0.0, 1 / 15, 2 / 15, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]))
    assert [one.n for one in bins] == [2, 1, 1]
    assert bins[0].high == pytest.approx(1 / 15)


def test_calibration_error_by_hand() -> None:
    # (0.4, 0.4667]: 0.42 right, 0.44 wrong -> |0.5 - 0.43| = 0.07; (0.8667, 0.9333]: 0.9, 0.9 right -> 0.1;
    # half of the answers in each: 0.085.
    confidence, right = np.array([0.42, 0.44, 0.9, 0.9]), np.array([1.0, 0.0, 1.0, 1.0])
    assert calibration_error(confidence, right) == pytest.approx(0.085)


def test_calibration_error_is_that_of_torchmetrics_and_netcal() -> None:
    """Both `binary_calibration_error` of torchmetrics 1.9.0 and `ECE(15)` of netcal 1.4.0 give this."""
    random = np.random.default_rng(7)
    confidence = random.beta(4, 2, 300)
    right = (random.random(300) < confidence**1.5).astype(float)
    assert calibration_error(confidence, right) == pytest.approx(0.1057611856113691, abs=1e-12)


def test_ties_are_one_bin_of_equal_mass() -> None:
    confidence = np.array([0.5] * 30)
    bins = reliability(confidence, np.array([1.0] * 12 + [0.0] * 18), masses(confidence))
    assert [(one.n, one.right) for one in bins] == [(30, 0.4)]


def test_auroc_and_brier_are_scikit_learns() -> None:
    for seed in range(5):
        confidence, right = drawn(seed)
        confidence = confidence.round(1)  # with ties
        assert auroc(confidence, right) == pytest.approx(roc_auc_score(right, confidence))
        assert ((confidence - right) ** 2).mean() == pytest.approx(brier_score_loss(right, confidence))
    assert np.isnan(auroc(confidence, np.ones_like(right)))


def test_risk_against_coverage_by_hand() -> None:
    """Surest first: right, wrong, right, wrong. Wrong among the first k: 0, 1/2, 1/3, 2/4."""
    confidence, right = np.array([0.6, 0.9, 0.7, 0.8]), np.array([0.0, 1.0, 1.0, 0.0])
    assert risks(confidence, right).tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert aurc(confidence, right) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 4)
    # The best order: right, right, wrong, wrong: 0, 0, 1/3, 2/4.
    assert best_aurc(right) == pytest.approx((1 / 3 + 1 / 2) / 4)


@settings(max_examples=25, deadline=None)
@given(answers)
def test_answers_of_one_confidence_come_in_no_order(pairs: list[tuple[float, float]]) -> None:
    confidence, right = (np.array(column) for column in zip(*pairs, strict=True))
    turned = slice(None, None, -1)
    assert risks(confidence, right) == pytest.approx(risks(confidence[turned], right[turned]))
    # One confidence for all: as if none were known, at every coverage.
    assert risks(np.ones(len(right)), right) == pytest.approx(np.full(len(right), 1 - right.mean()))


@settings(max_examples=25, deadline=None)
@given(answers)
def test_no_order_is_better_than_the_best(pairs: list[tuple[float, float]]) -> None:
    confidence, right = (np.array(column) for column in zip(*pairs, strict=True))
    assert best_aurc(right) <= aurc(confidence, right) + 1e-12
    assert best_aurc(right) == pytest.approx(aurc(right, right))


def test_the_table_says_what_the_numbers_are() -> None:
    assert f"{BINS} bins" in METRICS["ece"].definition
    assert [METRICS[name].better for name in ("ece", "brier", "aurc", "auroc")] == [*["lower"] * 3, "higher"]
