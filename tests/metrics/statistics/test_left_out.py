"""Intervals of figures computed anew without each image."""

import numpy as np
import pytest

from pefomed.metrics.statistics.interval import figure_intervals
from pefomed.metrics.statistics.left_out import MOST_LEFT_OUT, left_out_intervals


def test_of_a_function_of_sums_they_are_those_of_sums() -> None:
    random = np.random.default_rng(1)
    clusters = np.repeat(np.arange(30), random.integers(1, 9, 30))
    values = random.random(len(clusters))
    ours = left_out_intervals(lambda kept: [values[kept].mean()], clusters, draws=2000)
    sums = np.stack([values, np.ones_like(values)], axis=1)
    theirs = figure_intervals(sums, clusters, lambda totals: totals[:, :1] / totals[:, 1:])
    assert ours[0] == pytest.approx(theirs[0])


def test_few_images_no_draws_and_what_is_not_there() -> None:
    clusters = np.array([0, 0, 1, 1])
    [few] = left_out_intervals(lambda kept: [0.5], clusters, draws=2000)
    assert few is not None
    assert few.how == "none: too few images: 2"
    assert left_out_intervals(lambda kept: [0.5], clusters, draws=0) == [None]
    assert left_out_intervals(lambda kept: [float("nan")], np.arange(9), draws=2000) == [None]


def test_many_images_are_left_out_in_groups() -> None:
    values = np.random.default_rng(2).random(3 * MOST_LEFT_OUT)
    [found] = left_out_intervals(lambda kept: [values[kept].mean()], np.arange(len(values)), draws=2000)
    assert found is not None
    assert found.how.startswith("95 % by 200 groups of 600 images, seed 0")
    half = 1.96 * values.std() / len(values) ** 0.5
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
