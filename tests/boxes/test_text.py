"""Boxes as text: the published form, and the way back within half a step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.boxes import BoxFormat, read_boxes
from pefomed.boxes.grammar import may_end, may_go_on
from pefomed.schema import Box


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    unit = st.floats(0, 1)
    x = sorted(draw(st.lists(unit, min_size=2, max_size=2, unique=True)))
    y = sorted(draw(st.lists(unit, min_size=2, max_size=2, unique=True)))
    return _box(x[0], y[0], x[1], y[1])


def test_the_published_form() -> None:
    assert BoxFormat().box(_box(0.12, 0.3, 0.456, 1)) == "{<12><30><46><100>}"


def test_a_half_goes_up_and_truncation_cuts() -> None:
    # 0.125 and 0.375 are exact in binary: 12.5 -> 13, 37.5 -> 38; Python's round would give 12 and 38.
    box = _box(0.125, 0.125, 0.375, 0.375)
    assert BoxFormat().box(box) == "{<13><13><38><38>}"
    assert BoxFormat(rounding="truncate").box(box) == "{<12><12><37><37>}"
    assert BoxFormat(bins=1000).box(box) == "{<125><125><375><375>}"


def test_a_box_thinner_than_a_step_is_written_one_step_wide() -> None:
    assert BoxFormat().box(_box(0.501, 0.2, 0.502, 0.4)) == "{<50><20><51><40>}"
    assert BoxFormat().box(_box(0.999, 0.2, 1.0, 0.4)) == "{<99><20><100><40>}"


def test_several_boxes_and_a_phrase() -> None:
    pair = [_box(0.1, 0.1, 0.2, 0.2), _box(0.3, 0.3, 0.4, 0.4)]
    assert BoxFormat().phrase("lung", pair) == "<p>lung</p>{<10><10><20><20>}<delim>{<30><30><40><40>}"


@given(st.lists(boxes(), min_size=1, max_size=4), st.sampled_from([10, 100, 1000]))
def test_what_is_written_is_read_back_within_half_a_step(written: list[Box], bins: int) -> None:
    text = BoxFormat(bins).boxes(written)
    read = read_boxes(text, bins)
    assert read.state == "strict"
    assert len(read.boxes) == len(written)
    for one, other in zip(written, read.boxes, strict=True):
        for side in ("x", "y"):
            low, high = getattr(one, f"{side}0"), getattr(one, f"{side}1")
            thin = high - low < 1 / bins  # widened to a step: up to a whole step off
            allowed = (1 if thin else 0.5) / bins + 1e-9
            assert abs(low - getattr(other, f"{side}0")) <= allowed
            assert abs(high - getattr(other, f"{side}1")) <= allowed


@given(st.lists(boxes(), min_size=1, max_size=3), st.sampled_from([7, 100, 1000]))
def test_every_beginning_of_an_answer_may_go_on_and_only_whole_ones_may_end(
    written: list[Box], bins: int
) -> None:
    text = BoxFormat(bins).boxes(written)
    assert may_end(text, bins)
    for end in range(len(text)):
        assert may_go_on(text[:end], bins), text[:end]
        assert may_end(text[:end], bins) == (text[:end].endswith("}"))


@pytest.mark.parametrize(
    "text",
    [
        "a", "{1", "{<01", "{<100", "{<12>}", "{<12><101", "{<12><30><12>", "{<12><30><12><", "{<12><30><0",
        "{<12><30><45><30>", "{<12><30><45><60>} ", "{<12><30><45><60>}{", "{<12><30><45><60>}<delim><",
        "{<12><30><1>",
    ],
)  # fmt: skip
def test_what_can_never_become_an_answer_is_refused(text: str) -> None:
    assert not may_go_on(text, 100)


def test_a_second_number_below_the_first_can_still_grow() -> None:
    # 1 -> 13..19 lie beyond 12; 3 -> 31..39 and so on; 0 can become nothing.
    assert may_go_on("{<12><30><1", 100)
    assert may_go_on("{<12><30><13><3", 100)
    assert not may_go_on("{<12><30><0", 100)


def test_no_box_is_written_and_read_as_an_answer() -> None:
    form = BoxFormat()
    assert form.boxes([]) == "{}"
    assert form.phrase("effusion", []) == "<p>effusion</p>{}"
    assert read_boxes(form.boxes([])).says_none


def test_none_is_an_answer_only_where_it_may_be_said_and_stands_alone() -> None:
    for text in ("", "{", "{}"):
        assert may_go_on(text, 100, none=True)
        assert may_end(text, 100, none=True) == (text == "{}")
    assert not may_go_on("{}", 100)
    assert not may_end("{}", 100)
    for text in ("{}{", "{}<delim>", "{<1><2><3><4>}<delim>{}", "{ }"):
        assert not may_go_on(text, 100, none=True)
