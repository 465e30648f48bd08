from __future__ import annotations

import json
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.report.bars import bar, strip
from pefomed.report.curves import HEIGHT, WIDTH, Series, curves, log_ticks, number, ticks

MARKS = [("floor", 0.25, 'a "floor" <b>')]


@pytest.mark.parametrize(
    "svg",
    [
        bar(0.5, 0.4, 0.6, MARKS, "said <i>"),
        bar(1.0, None, None),
        strip(0.5, 0.4, 0.6, MARKS, "said"),
        curves("t <b>", [Series("l & m", [(1, 2.0), (2, 1.0)]), Series("v", [(2, 1.5)], "dots", "b")]),
    ],
)
def test_a_chart_is_well_formed_and_escaped(svg: str) -> None:
    ElementTree.fromstring(str(svg).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))
    assert "<b>" not in svg
    assert "<i>" not in svg


def test_a_bar_is_drawn_in_percent_of_its_cell() -> None:
    svg = bar(0.5, 0.4, 0.625, [("blind", 0.1, "blind")])
    assert '<rect class="fill" width="50.0%"' in svg
    assert '<line class="whisker" x1="40.0%" x2="62.5%"' in svg
    assert '<line class="mark blind" x1="10.0%" x2="10.0%"' in svg


def test_a_bar_without_interval_has_no_whisker() -> None:
    assert "whisker" not in bar(0.5, None, None)


def test_values_beyond_the_scale_stay_on_it() -> None:
    assert 'width="100.0%" height="10" y="6" rx="2"/>' in bar(1.5, None, None)


def test_a_curve_runs_from_corner_to_corner() -> None:
    svg = curves("share", [Series("s", [(0, 0.0), (10, 1.0)])], "percent")
    points = re.findall(r'points="([^"]+)"', svg)[0].split()
    (x0, y0), (x1, y1) = (tuple(map(float, point.split(","))) for point in points)
    # 0 % at the bottom left, 100 % at the top right, inside the margins.
    assert 0 < x0 < x1 < WIDTH
    assert 0 < y1 < y0 < HEIGHT


def test_a_curve_leaves_out_what_is_not_finite_and_survives_a_single_point() -> None:
    svg = curves("loss", [Series("s", [(1, math.nan), (2, 0.5), (3, math.inf)])])
    assert len(re.findall(r'points="([^"]+)"', svg)[0].split()) == 1
    assert "No values" in curves("loss", [Series("s", [(1, math.nan)])])


def test_the_readout_holds_the_values_of_the_lines_only() -> None:
    svg = curves("l", [Series("raw", [(1, 1.0)], "faint"), Series("mean", [(1, 0.25), (9, 0.125)])])
    text = re.findall(r'data-readout="([^"]+)"', svg)[0].replace("&#34;", '"')
    (line,) = json.loads(text)
    assert line["label"] == "mean"
    assert [point[2:] for point in line["points"]] == [[1, "0.25"], [9, "0.125"]]


@given(st.floats(-1e3, 1e3), st.floats(1e-2, 1e6), st.integers(2, 8))
def test_ticks_enclose_the_values_and_are_evenly_spaced(low: float, span: float, about: int) -> None:
    high = low + span
    found = ticks(low, high, about)
    step = found[1] - found[0]
    assert found[0] <= low + 1e-6 * step
    assert found[-1] >= high - 1e-6 * step
    # A step is at least span / about, so that at most `about` steps cover the span, and one more either side.
    assert 2 <= len(found) <= about + 3


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 4, [0, 1, 2, 3, 4]), (0, 1.7, [0, 0.5, 1, 1.5, 2])]
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1250, "1,250"),
        (0.35, "0.35"),
        (6e-4, "6e-4"),
        (1.2e-3, "1.2e-3"),
        (0.01, "0.01"),
        (-3e-5, "-3e-5"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.3, 4.0, [0.2, 0.5, 1, 2, 5]),
        (1.0, 10.0, [1, 2, 5, 10]),
        (2.0, 2.0, [2, 5]),
        (0.004, 11.0, [0.001, 0.01, 0.1, 1, 10, 100]),
    ],
)
def test_log_ticks_enclose_the_values(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(expected)


def test_on_a_log_axis_equal_factors_are_equal_distances() -> None:
    svg = curves("loss", [Series("s", [(0, 10.0), (1, 1.0), (2, 0.1)])], "log")
    first, second, third = (
        float(y) for y in re.findall(r",([0-9.]+)", re.findall(r'points="([^"]+)"', svg)[0])
    )
    assert second - first == pytest.approx(third - second, abs=0.11)  # rounded to 0.1
