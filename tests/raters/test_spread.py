"""Spread selection: exact size, equal chances, fixed by the seed, and better balanced than a plain draw."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.raters.spread import spread


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=40), st.data())
@settings(max_examples=60)
def test_as_many_different_items_as_wanted(features: list[tuple[int, int]], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, len(features)))
    chosen = spread(features, wanted, random.Random(1))
    assert len(chosen) == len(set(chosen)) == wanted
    assert chosen == sorted(chosen)
    assert all(0 <= place < len(features) for place in chosen)


def test_the_seed_decides() -> None:
    features = [(n % 3, n % 5) for n in range(60)]
    assert spread(features, 12, random.Random(7)) == spread(features, 12, random.Random(7))
    assert spread(features, 12, random.Random(7)) != spread(features, 12, random.Random(8))


def test_every_item_is_equally_likely() -> None:
    # 3 of 9 items, one of them unlike all others: each is to be chosen in a third of 2000 draws. The
    # standard deviation of a share is sqrt(1/3 * 2/3 / 2000) = 0.0105; the bound is five of them.
    features = [("a", n % 2) for n in range(8)] + [("b", 5)]
    draw = random.Random(0)
    counts = Counter(place for _ in range(2000) for place in spread(features, 3, draw))
    for place in range(9):
        assert counts[place] / 2000 == pytest.approx(1 / 3, abs=0.053)


def test_groups_come_out_as_they_are_among_all() -> None:
    # 120 items, groups of 60, 40 and 20; of 12 chosen 6, 4 and 2 belong to them. A plain draw would miss
    # that in five of six cases.
    features = [("x",)] * 60 + [("y",)] * 40 + [("z",)] * 20
    draw = random.Random(0)
    for _ in range(20):
        counts = Counter(features[place][0] for place in spread(features, 12, draw))
        assert abs(counts["x"] - 6) <= 1
        assert abs(counts["y"] - 4) <= 1
        assert abs(counts["z"] - 2) <= 1


def test_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        spread([(1,), (2,)], 3, random.Random(0))


def test_a_hundred_thousand_items_take_seconds() -> None:
    features = [(n % 2, n % 7, n // 10) for n in range(100_000)]
    chosen = spread(features, 100, random.Random(0))
    assert len(chosen) == 100
    assert 35 <= sum(place % 2 for place in chosen) <= 65
