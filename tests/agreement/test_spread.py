from __future__ import annotations

import numpy as np
import pytest

from pefomed.agreement import equal_share, flip_share, sd_difference, sd_of_means

NAN = float("nan")


def test_sd_of_means_by_hand() -> None:
    # Means .5, .75 and 1: sd with n - 1 = .25. The fifth item lacks a label and does not count.
    ratings = [[0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1], [1, NAN, 0]]
    found = sd_of_means(ratings)
    assert (found.value, found.n) == (pytest.approx(0.25), 4)


def test_runs_that_repeat_each_other_have_no_spread() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 50)
    runs = np.tile(truth[:, None], 10).astype(float)
    raters = np.clip(truth[:, None] + random.integers(-1, 2, (50, 10)), 0, 4).astype(float)
    assert sd_of_means(runs, draws=0).value == pytest.approx(0.0)
    found = sd_difference(raters, runs)
    assert found.value == pytest.approx(raters.mean(axis=0).std(ddof=1))
    assert found.low is not None
    assert found.low > 0


def test_flips_are_items_with_different_labels() -> None:
    # Items 2 and 3 of the four that have two labels.
    found = flip_share([[1, 1, 1], [1, 0, 1], [0, NAN, 1], [0, 0, NAN], [1, NAN, NAN]], draws=0)
    assert (found.value, found.n) == (0.5, 4)


def test_equal_share_counts_common_items_only() -> None:
    found = equal_share([1, 0, None, 1], [1, 1, 1, 1], draws=0)
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)


def test_one_run_has_no_spread() -> None:
    for found in (
        sd_of_means([[1], [0]]),
        flip_share([[1], [0]]),
        sd_difference([[1], [0]], [[1, 0], [0, 0]]),
    ):
        assert found.value is None
        assert "one r" in found.note


def test_the_interval_of_a_spread_lies_around_it() -> None:
    # Ten runs of equal quality: their means differ little, and draws of items drive them further apart
    # than they are. Uncorrected, the interval lay above the value.
    random = np.random.default_rng(0)
    truth = random.random(2000) < 0.7
    runs = np.where(random.random((2000, 10)) < 0.05, ~truth[:, None], truth[:, None]).astype(float)
    found = sd_of_means(runs)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < found.value < found.high
