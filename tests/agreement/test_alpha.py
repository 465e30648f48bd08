from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.agreement import krippendorff_alpha

NAN = float("nan")

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section E: 4 observers, 12 units.
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


def test_the_textbook_example() -> None:
    ratings = np.array(FOUR_OBSERVERS).T
    nominal, ordinal = krippendorff_alpha(ratings), krippendorff_alpha(ratings, "ordinal")
    assert nominal.value == pytest.approx(0.743, abs=5e-4)
    assert ordinal.value == pytest.approx(0.815, abs=5e-4)
    # Unit 12 has one label: nothing to pair it with.
    assert nominal.n == ordinal.n == 11
    assert nominal.low is not None
    assert nominal.high is not None
    assert nominal.low < 0.743 < nominal.high


def test_binary_data_of_two_observers() -> None:
    # The same paper, section A: 10 units, labels differ in 4, alpha = .095.
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(np.column_stack((one, other)), draws=0).value == pytest.approx(0.095, abs=5e-4)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_it_agrees_with_the_library(data: st.DataObject) -> None:
    n, raters = data.draw(st.integers(3, 9)), data.draw(st.integers(2, 5))
    label = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, NAN])
    row = st.lists(label, min_size=raters, max_size=raters)
    ratings = np.array(data.draw(st.lists(row, min_size=n, max_size=n)))
    usable = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    if len(usable) < 2 or len(np.unique(usable[~np.isnan(usable)])) < 2:
        return
    for scale in ("nominal", "ordinal"):
        oracle = krippendorff.alpha(ratings.T, level_of_measurement=scale, value_domain=range(5))
        assert krippendorff_alpha(ratings, scale, draws=0).value == pytest.approx(oracle, abs=1e-9)


@pytest.mark.parametrize(
    ("ratings", "why"),
    [
        ([[1], [0]], "one rater only"),
        ([[1, NAN], [0, NAN]], "fewer than 2 items with two labels"),
        ([[1, 1], [1, 1]], "all labels are the same"),
        ([[NAN, NAN]], "fewer than 2 items"),
    ],
)
def test_what_cannot_be_computed_says_why(ratings: list[list[float]], why: str) -> None:
    found = krippendorff_alpha(ratings)
    assert found.value is None
    assert why in found.note
