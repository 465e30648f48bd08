from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.annotations.box_numbers import Fault, Form, Unit, box_of, size_fault
from pefomed.schema import Box

SIZE = (200, 100)


@pytest.mark.parametrize(
    ("numbers", "form", "unit"),
    [
        ((50, 10, 100, 40), "xywh", "pixel"),
        ((50, 10, 150, 50), "xyxy", "pixel"),
        ((0.25, 0.1, 0.5, 0.4), "xywh", "relative"),
        ((0.25, 0.1, 0.75, 0.5), "xyxy", "relative"),
        (("50", " 10", "100.0", "4e1"), "xywh", "pixel"),
        ((100, 30, 100, 40), "cxcywh", "pixel"),  # the centre of 50..150 and of 10..50
        ((0.5, 0.3, 0.5, 0.4), "cxcywh", "relative"),
        ((10, 50, 50, 150), "yxyx", "pixel"),
        ((100, 250, 500, 750), "yxyx", "thousand"),
        ((25, 10, 50, 40), "xywh", "percent"),
        ((25.0, 10.0, 75.0, 50.0), "xyxy", "percent"),
        ((250, 100, 750, 500), "xyxy", "thousand"),
        ((500, 300, 500, 400), "cxcywh", "thousand"),
    ],
)
def test_the_same_box_in_every_form_and_unit(numbers: tuple[Any, ...], form: Form, unit: Unit) -> None:
    # 50 of 200, 10 of 100, (50 + 100) of 200, (10 + 40) of 100.
    box = box_of(numbers, form, unit, SIZE)
    assert isinstance(box, Box)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.25, 0.1, 0.75, 0.5))


@pytest.mark.parametrize(
    ("numbers", "form", "unit", "reason", "remedy"),
    [
        ((50, 10, 160, 40), "xywh", "pixel", "stands out", "may be 'xyxy'"),
        ((-1, 10, 40, 40), "xywh", "pixel", "stands out", ""),
        ((50, 10, 100, 91), "xywh", "pixel", "stands out", ""),
        ((250, 10, 300, 40), "xyxy", "pixel", "stands out", ""),
        ((0.5, 0.5, 0.75, 0.4), "xywh", "relative", "stands out", ""),
        ((150, 10, 50, 50), "xyxy", "pixel", "inverted", "may be 'xywh'"),
        ((50, 10, -5, 50), "xywh", "pixel", "inverted", ""),
        ((50, 10, 0, 50), "xywh", "pixel", "no area", ""),
        ((200, 10, 0.4, 50), "xywh", "pixel", "no area", ""),  # all of it beyond the edge
        ((0.25, 0.1, 0.5, 0.4), "xywh", "pixel", "declared unit", "unit = 'relative'"),
        ((50, 10, 100, 40), "xywh", "relative", "declared unit", "unit = 'pixel'"),
        ((0.25, 0.1, 0.5, 0.4), "xywh", "percent", "declared unit", "unit = 'relative'"),
        ((0.25, 0.1, 0.5, 0.4), "xywh", "thousand", "declared unit", "unit = 'relative'"),
        ((250, 100, 500, 400), "xywh", "percent", "declared unit", "'thousand'"),
        ((2500, 100, 500, 400), "xywh", "thousand", "declared unit", "unit = 'pixel'"),
        ((80, 10, 40, 40), "xywh", "percent", "stands out", "may be 'xyxy'"),
        ((900, 100, 400, 400), "cxcywh", "thousand", "stands out", "may be 'xywh'"),  # 900 + 400 / 2 = 1100
        ((100, 30, -100, 40), "cxcywh", "pixel", "inverted", ""),
        ((50, float("nan"), 100, 40), "xywh", "pixel", "four finite", ""),
        ((50, "nan", 100, 40), "xywh", "pixel", "four finite", ""),
        ((50, float("inf"), 100, 40), "xywh", "pixel", "four finite", ""),
        ((50, 10, 100), "xywh", "pixel", "four finite", ""),
        ((50, 10, 100, 40, 1), "xywh", "pixel", "four finite", ""),
        ((50, None, 100, 40), "xywh", "pixel", "four finite", ""),
        ((50, True, 100, 40), "xywh", "pixel", "four finite", ""),
        ((50, "ten", 100, 40), "xywh", "pixel", "four finite", ""),
        ((), "xywh", "pixel", "four finite", ""),
    ],
)
def test_what_is_wrong_is_said(
    numbers: tuple[Any, ...], form: Form, unit: Unit, reason: str, remedy: str
) -> None:
    fault = box_of(numbers, form, unit, SIZE)
    assert isinstance(fault, Fault)
    assert reason in fault.reason
    assert remedy in fault.remedy
    text = str(fault.error("boxes.csv, line 3"))
    assert text.startswith("boxes.csv, line 3: ")
    assert all(str(number) in text for number in numbers)


def test_half_a_pixel_beyond_the_edge_is_rounding_and_is_clipped() -> None:
    box = box_of((-0.5, 10, 201, 40), "xywh", "pixel", SIZE)
    assert isinstance(box, Box)
    assert (box.x0, box.x1) == (0, 1)
    # 0.5 / 100 is half a pixel of the height.
    assert isinstance(box_of((0, 0.005, 1, 1), "xywh", "relative", SIZE), Box)
    assert isinstance(box_of((0, 0.006, 1, 1), "xywh", "relative", SIZE), Fault)


def test_a_step_of_thousandths_beyond_the_edge_is_rounding() -> None:
    # An edge and a width, each rounded, may add up to one step more than the whole.
    box = box_of((601, 100, 400, 400), "xywh", "thousand", (3000, 2000))
    assert isinstance(box, Box)
    assert (box.x0, box.x1) == (0.601, 1)
    assert isinstance(box_of((602, 100, 400, 400), "xywh", "thousand", (3000, 2000)), Fault)
    # Half of 200 pixels' pixel is .25 % of the width.
    assert isinstance(box_of((60, 10, 40.25, 40), "xywh", "percent", SIZE), Box)
    assert isinstance(box_of((60, 10, 40.3, 40), "xywh", "percent", SIZE), Fault)


pixels = st.integers(1, 3000)


@given(st.tuples(pixels, pixels).filter(lambda size: max(size) > 1), st.data())
def test_any_box_inside_is_read_alike_in_both_forms(size: tuple[int, int], data: st.DataObject) -> None:
    x0, y0 = (data.draw(st.integers(0, side - 1)) for side in size)
    x1, y1 = data.draw(st.integers(x0 + 1, size[0])), data.draw(st.integers(y0 + 1, size[1]))
    if max(x1, y1) < 2:
        return  # the first pixel alone looks like fractions
    corners = box_of((x0, y0, x1, y1), "xyxy", "pixel", size)
    sides = box_of((x0, y0, x1 - x0, y1 - y0), "xywh", "pixel", size)
    if max(x1 - x0, y1 - y0, x0, y0) > 1:
        assert sides == corners
    assert isinstance(corners, Box)
    assert corners.x0 * size[0] == pytest.approx(x0)
    assert corners.y1 * size[1] == pytest.approx(y1)


@pytest.mark.parametrize(
    ("said", "scaled", "words"),
    [
        ((200, 100), False, None),
        (("200", "100.0"), False, None),
        ((100, 200), False, "not as large"),
        ((400, 200), False, "scaled_images = true"),
        ((400, 200), True, None),
        ((401, 201), True, None),  # 200 * 201 / 401 = 100.2: within a pixel
        ((400, 210), True, "other proportions"),
        ((0, 100), True, "numbers of pixels"),
        ((None, 100), False, "numbers of pixels"),
    ],
)
def test_the_size_a_table_says_is_checked(said: tuple[Any, Any], scaled: bool, words: str | None) -> None:
    fault = size_fault(SIZE, said, scaled)
    assert (fault is None) if words is None else (fault and words in f"{fault.reason} {fault.remedy}")
