"""The phrase of the training boxes that overlap most, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.boxes.region import disjoint, iou
from pefomed.floors.nearest_box import nearest_box
from pefomed.schema import Box


def upright(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.0, x1=x1, y1=1.0)


KNOWN = [
    ([upright(0.0, 0.4)], "Heart"),
    ([upright(0.6, 1.0)], "Liver"),
    ([upright(0.6, 1.0)], "lung"),
    ([upright(0.0, 0.1), upright(0.9, 1.0)], "Lung"),
]


@pytest.mark.parametrize(
    ("asked", "phrase"),
    [
        # .4 of .5 with the heart
        ([upright(0.0, 0.5)], "Heart"),
        # .3 of .5 with liver and lung alike; of lungs, however written, there are two
        ([upright(0.5, 0.9)], "lung"),
        # .1 of it in the heart, union .5: IoU .2; .1 of it in the pair, union .3: IoU .333
        ([upright(0.0, 0.1), upright(0.5, 0.6)], "Lung"),
        # the pair exactly; the boxes that hide in each other count once
        ([upright(0.9, 1.0), upright(0.0, 0.1), upright(0.95, 1.0)], "Lung"),
        # nothing overlaps: the most frequent phrase, as it is first written
        ([upright(0.45, 0.55)], "lung"),
    ],
)
def test_the_phrase_of_the_nearest_boxes(asked: list[Box], phrase: str) -> None:
    boxes, phrases = zip(*KNOWN, strict=True)
    assert nearest_box(boxes, phrases, [asked]) == [phrase]


def test_of_equal_ones_the_earlier() -> None:
    boxes = [[upright(0.0, 0.5)], [upright(0.0, 0.5)]]
    assert nearest_box(boxes, ["b", "a"], [[upright(0.0, 0.4)]]) == ["b"]


corner = st.integers(0, 6)
some_boxes = st.lists(
    st.builds(
        lambda x, y, w, h: Box(x0=x / 10, y0=y / 10, x1=(x + w) / 10, y1=(y + h) / 10),
        corner, corner, st.integers(1, 4), st.integers(1, 4),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(some_boxes)
def test_disjoint_boxes_cover_the_same_area_once(boxes: list[Box]) -> None:
    parts = disjoint(boxes)
    made = [Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in parts.tolist()]
    assert iou(made, boxes) == pytest.approx(1.0)
    total = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in made)
    # Tenths: each cell of a 10 x 10 grid is covered or not.
    cells = sum(
        any(b.x0 < (x + 0.5) / 10 < b.x1 and b.y0 < (y + 0.5) / 10 < b.y1 for b in boxes)
        for x in range(10)
        for y in range(10)
    )
    assert total == pytest.approx(cells / 100)


@given(st.lists(some_boxes, min_size=1, max_size=5), some_boxes)
def test_it_is_the_one_of_the_highest_iou(known: list[list[Box]], asked: list[Box]) -> None:
    [phrase] = nearest_box(known, [str(place) for place in range(len(known))], [asked])
    assert iou(known[int(phrase)], asked) == pytest.approx(max(iou(one, asked) for one in known))
