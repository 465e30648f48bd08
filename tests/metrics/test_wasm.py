"""The published tables, recomputed from their counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.errors import DataError
from pefomed.evaluation.published import SIZES, VQA
from pefomed.metrics.wasm import level_counts, wasm, wasm_interval


@pytest.mark.parametrize(
    ("printed", "counts"),
    [
        (0.17, (1048, 79, 33, 20, 0)),
        (2.80, (51, 170, 192, 318, 449)),
        (2.84, (39, 125, 193, 447, 376)),
        (2.79, (22, 118, 267, 449, 324)),
    ],
)
def test_judged_levels_of_iu_xray(printed: float, counts: tuple[int, ...]) -> None:
    assert sum(counts) == 1180
    # 3306 / 1180 = 2.8017, 3356 / 1180 = 2.8441, 3295 / 1180 = 2.7924, 205 / 1180 = 0.1737
    assert wasm(counts) == pytest.approx(printed, abs=0.005)


def test_mean_counts_of_judge_and_raters() -> None:
    # GPT-4, mean over ten runs: (7.8 + 2 * 17.1 + 3 * 22.6 + 4 * 48.7) / 99 = 304.6 / 99
    assert wasm((2.80, 7.80, 17.10, 22.60, 48.70)) == pytest.approx(3.08, abs=0.005)
    # Raters: (23.38 + 2 * 21.88 + 3 * 29.13 + 4 * 17.25) / 99.39 = 2.249, printed as 2.24
    assert wasm((7.75, 23.38, 21.88, 29.13, 17.25)) == pytest.approx(2.249, abs=0.0005)


@pytest.mark.parametrize("loader", ["vqa_rad", "slake"])
def test_published_percentages_are_whole_numbers_of_right_answers(loader: str) -> None:
    """Each printed exact match of PeFoMed is k of n rounded, and open and closed add up to overall."""
    row = next(row for row in VQA[loader] if (row.system, row.metric) == ("PeFoMed", "exact_match"))
    right = []
    for printed, n in zip((row.open, row.closed, row.overall), SIZES[loader], strict=True):
        assert printed is not None
        k = round(printed * n / 100)
        assert round(100 * k / n, 1) == pytest.approx(printed)
        right.append(k)
    assert right[0] + right[1] == right[2]  # VQA-RAD 112 + 237 = 349, SLAKE 502 + 369 = 871


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_wasm_is_the_mean_level(labels: list[int]) -> None:
    assert wasm(level_counts(labels)) == pytest.approx(np.mean(labels))


def test_the_interval_covers_the_mean_and_draws_images() -> None:
    labels = [0, 1, 2, 3, 4] * 20
    value, interval = wasm_interval(labels, np.arange(100))
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    # sd of the mean: sqrt(2 / 100) = 0.141
    assert (interval.low, value, interval.high) == pytest.approx((2 - 0.277, 2, 2 + 0.277), abs=0.05)
    assert wasm_interval([2, 3], np.array([0, 0]))[1] == (None, None, "none: too few images: 1")


@pytest.mark.parametrize("counts", [(1, 2, 3, 4), (0, 0, 0, 0, 0), (1, -1, 1, 1, 1), ()])
def test_counts_that_are_none(counts: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="levels 0 to 4"):
        wasm(counts)


def test_a_level_off_the_scale() -> None:
    with pytest.raises(DataError, match="5"):
        level_counts([1, 5])
