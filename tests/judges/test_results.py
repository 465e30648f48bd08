"""Mean, spread, majority and flips of several runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.judges.results import results
from pefomed.schema import Verdict


def verdicts(labels: dict[str, list[int | None]]) -> list[Verdict]:
    return [
        Verdict(sample_id=item, rater="j", run=run, label=label)
        for item, given_ in labels.items()
        for run, label in enumerate(given_)
    ]


def test_known_figures() -> None:
    found = results(verdicts({"a": [1, 1, 1], "b": [0, 1, 0], "c": [1, None, 0], "d": [None, None, None]}))
    # run 0: (1 + 0 + 1) / 3, run 1: (1 + 1) / 2, run 2: (1 + 0 + 0) / 3
    assert found.by_run == pytest.approx({0: 2 / 3, 1: 1.0, 2: 1 / 3})
    assert found.mean == pytest.approx(2 / 3)
    # deviations 0, 1/3, -1/3: sqrt((1/9 + 1/9) / 2) = 1/3
    assert found.sd == pytest.approx(1 / 3)
    # c ties 1 to 0 and takes the lower; d was never scored
    assert found.majority == {"a": 1, "b": 0, "c": 0, "d": None}
    assert found.majority_mean == pytest.approx(1 / 3)
    # of a, b, c (scored twice or more) b and c flip
    assert found.flips == pytest.approx(2 / 3)
    assert (found.items, found.scored, found.unscored) == (4, 8, 4)


def test_one_run_has_no_spread_and_none_no_mean() -> None:
    one = results(verdicts({"a": [4], "b": [2]}))
    assert (one.mean, one.sd, one.flips) == (3.0, None, None)
    none = results(verdicts({"a": [None]}))
    assert (none.mean, none.majority, none.unscored) == (None, {"a": None}, 1)
    assert results([]).items == 0


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from([0, 1, 2, 3, 4, None]), min_size=1))
)
def test_nothing_is_dropped_and_order_does_not_matter(labels: dict[str, list[int | None]]) -> None:
    made = verdicts(labels)
    found = results(made)
    assert found.scored + found.unscored == len(made)
    again = results(reversed(made))
    assert (again.mean, again.majority, again.flips) == (found.mean, found.majority, found.flips)
