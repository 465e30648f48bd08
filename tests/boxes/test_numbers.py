"""Trees of numbers and the weighted median, against values derived by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.boxes.numbers import common_start, median_bounds, number_tree, weighted_median


@pytest.mark.parametrize(
    ("weights", "median"),
    [
        ([1, 1, 1], 1),
        ([0, 0, 5], 2),
        ([3, 1, 1], 0),  # 3 >= 2 already at the first place
        ([1, 1], 0),  # a half on either side: the lesser of the two
        ([1, 1, 2], 1),  # 2 >= 2 at the second place
        ([1, 1, 3], 2),  # 2 < 3 at the second place
        ([0.2, 0.2, 0.2, 0, 0.2, 0, 0.2], 2),  # the third of five equal ones
        ([1e-300, 1e-300, 1e-300], 1),
    ],
)
def test_weighted_median(weights: list[float], median: int) -> None:
    assert weighted_median(np.array(weights, dtype=np.float64)) == median


def test_bounds_where_some_weights_are_unknown() -> None:
    known = np.array([0.0, 4.0, 0.0, 1.0])
    # 2 somewhere among the places 1 to 3: 4 up to place 1 are as many as 1 + 2 beyond it.
    assert median_bounds(known, np.array([0, 2.0, 0, 0]), np.array([0, 0, 0, 2.0])) == (1, 1)
    # 4 there: all at the last place would make 1 + 4 beyond place 1, and the same beyond place 2.
    assert median_bounds(known, np.array([0, 4.0, 0, 0]), np.array([0, 0, 0, 4.0])) == (1, 3)
    # 5 at place 0, if at all: as many as 4 + 1 beyond it.
    assert median_bounds(known, np.array([5.0, 0, 0, 0]), np.array([5.0, 0, 0, 0])) == (0, 1)


@given(st.data())
def test_no_outcome_lies_outside_the_bounds(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 8))
    known = np.array(data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)), dtype=np.float64)
    least, greatest, outcome = np.zeros(size), np.zeros(size), known.copy()
    for _ in range(data.draw(st.integers(0, 4))):
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, size - 1)] * 2)))
        most = data.draw(st.integers(0, 5))
        least[first] += most
        greatest[last] += most
        # Whatever becomes of it: less than all of it, and in several places between the two.
        for _ in range(most):
            outcome[data.draw(st.integers(first, last))] += data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    low, high = median_bounds(known, least, greatest)
    assert low <= weighted_median(outcome) <= high


def test_numbers_with_merged_digits_share_their_beginnings() -> None:
    # The tokens of 9>, 10>, 11> where 1 is token 1, 10 a token of its own (20), 9> too (30), and > is 5.
    forms = [[30], [20, 5], [1, 1, 5]]
    tree = number_tree(forms)
    assert set(tree.children) == {30, 20, 1}
    assert not tree.children[30].children
    assert (tree.children[20].least, tree.children[20].greatest) == (1, 1)
    assert set(tree.children[1].children[1].children) == {5}


def test_digits_stand_for_the_numbers_below_them() -> None:
    forms = [[*map(int, str(number)), 99] for number in range(101)]
    tree = number_tree(forms)
    one = tree.children[1]
    assert (one.least, one.greatest) == (1, 100)  # 1, 10 .. 19 and 100
    assert set(one.children) == {*range(10), 99}
    assert not one.children[99].children
    assert one.children[99].least == 1
    assert (tree.children[2].least, tree.children[2].greatest) == (2, 29)
    assert set(tree.children[0].children) == {99}  # no number begins with a 0 but 0


def test_common_start() -> None:
    assert common_start([[1, 2, 3], [1, 2, 4, 5], [1, 2]]) == 2
    assert common_start([[1], [2]]) == 0
    assert common_start([[7, 8]]) == 2
