import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.boxes.matching import match
from pefomed.boxes.region import iou
from pefomed.schema import Box


def upright(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.0, x1=x1, y1=1.0)


EDGES = st.tuples(st.integers(0, 10), st.integers(0, 10)).filter(lambda edge: edge[0] < edge[1])
BOXES = st.lists(EDGES.map(lambda edge: upright(edge[0] / 10, edge[1] / 10)), max_size=4)


def test_most_pairs_and_not_the_best_pair_first() -> None:
    # IoU with r, s: p .45/.5 = .9 and .35/.55 = .64; q .3/.5 = .6 and .15/.6 = .25.
    # Taking p with r first would leave q alone.
    r, s = upright(0.0, 0.5), upright(0.15, 0.6)
    p, q = upright(0.05, 0.5), upright(0.0, 0.3)
    found = match([p, q], [r, s])
    assert found.pairs == ((0, 1), (1, 0))
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_a_reference_is_matched_once() -> None:
    one = upright(0.0, 0.5)
    found = match([one, one, one], [one, upright(0.6, 1.0)])
    assert len(found.pairs) == 1
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == 0.5


def test_the_threshold_counts_and_a_little_less_does_not() -> None:
    whole = upright(0.0, 1.0)
    assert match([upright(0.0, 0.5)], [whole]).recall == 1.0
    assert match([upright(0.1, 0.6)], [whole]).recall == 1.0  # 0.6 - 0.1 is 0.49999999999999994 in binary
    assert match([upright(0.0, 0.49)], [whole]).recall == 0.0
    assert match([upright(0.0, 0.49)], [whole], least_iou=0.4).recall == 1.0


def test_nothing_to_match() -> None:
    for found in (match([], [upright(0, 1)]), match([upright(0, 1)], []), match([], [])):
        assert (found.pairs, found.precision, found.recall) == ((), 0.0, 0.0)


@given(BOXES, BOXES)
def test_no_other_matching_is_better(predicted: list[Box], references: list[Box]) -> None:
    """Oracle: every way to give the shorter list's boxes different partners."""
    short, long = sorted((predicted, references), key=len)
    best = (0, 0.0)
    for partners in itertools.permutations(long, len(short)):
        values = [iou([a], [b]) for a, b in zip(short, partners, strict=True)]
        kept = [value for value in values if value >= 0.5 - 1e-9]
        best = max(best, (len(kept), round(sum(kept), 9)))
    found = match(predicted, references)
    total = sum(iou([predicted[p]], [references[r]]) for p, r in found.pairs)
    assert (len(found.pairs), round(total, 9)) == best
    assert len({p for p, _ in found.pairs}) == len({r for _, r in found.pairs}) == len(found.pairs)
