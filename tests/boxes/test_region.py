import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.boxes.region import areas, dice, iou, union_area
from pefomed.schema import Box

GRID = 8


def box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


EDGES = st.sampled_from(list(itertools.combinations(range(GRID + 1), 2)))
ON_GRID = st.builds(lambda x, y: box(x[0] / GRID, y[0] / GRID, x[1] / GRID, y[1] / GRID), EDGES, EDGES)
SIDES = st.tuples(st.floats(0, 0.99), st.floats(1e-3, 1)).map(
    lambda side: (side[0], side[0] + (1 - side[0]) * side[1])
)
ANYWHERE = st.builds(lambda x, y: box(x[0], y[0], x[1], y[1]), SIDES, SIDES)


def test_a_pair_by_hand() -> None:
    # Squares of side 1/2, shifted by 1/4 both ways: 1/16 in common, 1/4 + 1/4 - 1/16 = 7/16 together.
    a, b = box(0, 0, 0.5, 0.5), box(0.25, 0.25, 0.75, 0.75)
    assert iou([a], [b]) == pytest.approx(1 / 7)
    assert dice([a], [b]) == pytest.approx(1 / 4)


def test_sets_by_hand() -> None:
    # Two upright halves that share a quarter cover 3/4; the right half covers 1/2; 1/4 is in both.
    a = [box(0, 0, 0.5, 1), box(0.25, 0, 0.75, 1)]
    b = [box(0.5, 0, 1, 1)]
    assert areas(a, b) == pytest.approx((0.75, 0.5, 0.25))
    assert iou(a, b) == pytest.approx(0.25)
    assert dice(a, b) == pytest.approx(0.5 / 1.25)


def test_touching_boxes_and_empty_sets_have_nothing_in_common() -> None:
    left, right = box(0, 0, 0.5, 1), box(0.5, 0, 1, 1)
    assert iou([left], [right]) == dice([left], [right]) == 0.0
    assert iou([left, left], [right]) == 0.0
    assert iou([], [left]) == iou([left], []) == iou([], []) == dice([], []) == 0.0
    assert union_area([]) == 0.0


@given(st.lists(ON_GRID, max_size=4), st.lists(ON_GRID, max_size=4))
def test_areas_are_those_of_counted_cells(a: list[Box], b: list[Box]) -> None:
    """Oracle: on a grid of 8 x 8 every box is made of whole cells."""
    cells = [(x, y) for x, y in itertools.product(range(GRID), repeat=2)]

    def cells_of(boxes: list[Box]) -> set[tuple[int, int]]:
        return {
            (x, y)
            for x, y in cells
            for one in boxes
            if one.x0 * GRID <= x < one.x1 * GRID and one.y0 * GRID <= y < one.y1 * GRID
        }

    in_a, in_b = cells_of(a), cells_of(b)
    counts = np.array([len(in_a), len(in_b), len(in_a & in_b)]) / GRID**2
    assert areas(a, b) == pytest.approx(tuple(counts))


@given(st.lists(ANYWHERE, min_size=1, max_size=4), st.lists(ANYWHERE, min_size=1, max_size=4))
def test_symmetric_and_between_0_and_1(a: list[Box], b: list[Box]) -> None:
    assert 0.0 <= iou(a, b) <= 1.0
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert dice(a, b) == pytest.approx(dice(b, a))
    assert dice(a, b) == pytest.approx(2 * iou(a, b) / (1 + iou(a, b)))


@given(st.lists(ANYWHERE, min_size=1, max_size=4), st.data())
def test_equal_sets_have_1_whatever_their_order(boxes: list[Box], data: st.DataObject) -> None:
    other = data.draw(st.permutations(boxes))
    assert iou(boxes, other) == pytest.approx(1.0)
    assert iou(boxes, [*other, other[0]]) == pytest.approx(1.0)


@given(ANYWHERE, ANYWHERE)
def test_a_pair_is_a_set_of_one(a: Box, b: Box) -> None:
    assert iou([a], [a]) == dice([a], [a]) == 1.0
    assert areas([a], [b]) == pytest.approx(areas([a, a], [b]))


@given(st.lists(ANYWHERE, min_size=1, max_size=3), ANYWHERE, st.floats(0.1, 0.9), st.booleans())
def test_a_box_in_two_pieces_is_the_same(rest: list[Box], whole: Box, share: float, upright: bool) -> None:
    x = whole.x0 + share * (whole.x1 - whole.x0) if upright else whole.x1
    y = whole.y1 if upright else whole.y0 + share * (whole.y1 - whole.y0)
    first = box(whole.x0, whole.y0, x, y)
    second = box(x, whole.y0, whole.x1, y) if upright else box(whole.x0, y, x, whole.y1)
    assert iou([first, second], rest) == pytest.approx(iou([whole], rest), abs=1e-9)
    assert union_area([first, second]) == pytest.approx(union_area([whole]), abs=1e-9)
