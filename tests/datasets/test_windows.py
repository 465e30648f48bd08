from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.errors import ImageError
from pefomed.images.windows import (
    AUTO,
    RANGE,
    ROBUST,
    exact,
    limits_of,
    linear,
    render,
    shares,
    sigmoid,
    window,
)


def test_linear_is_the_standards_example() -> None:
    # PS3.3 C.11.2.1.2.1, note 3: centre 2048, width 4096: 0 is black, 4095 is white; centre 0, width 1
    # is a threshold: black up to -0.5, white above it.
    assert linear(np.array([-1.0, 0, 4095, 5000]), 2048, 4096).tolist() == [0, 0, 1, 1]
    assert linear(np.array([-1, -0.5, -0.4, 0]), 0, 1).tolist() == [0, 0, 1, 1]
    # Centre 0, width 100 (same note): black up to -50, white above 49.
    assert linear(np.array([-50.0, 49.0]), 0, 100).tolist() == [0, 1]


def test_exact_and_sigmoid_by_hand() -> None:
    # 40:400 runs from -160 to 240; a quarter of the way is -60.
    assert exact(np.array([-160.0, -60, 40, 240, 300]), 40, 400).tolist() == [0, 0.25, 0.5, 1, 1]
    # At the centre 1/2; a quarter of the width above it 1 / (1 + e^-1) = 0.7311.
    assert np.allclose(sigmoid(np.array([40.0, 140.0]), 40, 400), [0.5, 0.73106], atol=1e-5)
    assert sigmoid(np.array([-1e30, 1e30]), 0, 1).tolist() == pytest.approx([0, 1])


def test_windows_are_read_from_text() -> None:
    assert (window("lung").centre, window("lung").width) == (-600, 1500)
    assert (window("-600:1500.5").centre, window("-600:1500.5").width) == (-600, 1500.5)
    assert window("stored:2").stored == 2
    assert [window(text) for text in ("auto", "range", "robust")] == [AUTO, RANGE, ROBUST]
    for text, words in [
        ("lnug", "did you mean 'lung'"),
        ("40:0", "above 0"),
        ("40:-1", "above 0"),
        ("", "unknown"),
    ]:
        with pytest.raises(ImageError, match=words):
            window(text)


def test_three_windows_are_red_green_and_blue() -> None:
    # MedGemma's notebook clips to these and stretches what is left to 0 .. 255.
    clips = [(-1024, 1024), (-135, 215), (0, 80)]
    assert [(each.centre, each.width) for each in window("medgemma").channels] == [
        ((high + low) / 2, high - low) for low, high in clips
    ]
    assert window("wide+soft+brain").channels == window("medgemma").channels
    own = window("-600:1500++40:400+stored:1")
    assert [str(each) for each in own.channels] == ["-600:1500", "+40:400", "stored:1"]
    assert [window(text).in_hounsfield for text in ("medgemma", "0:1+0:2+lung", "0:1+0:2+0:3", "lung")] == [
        True, True, False, True
    ]  # fmt: skip
    for text, words in [
        ("lung+bone", "2 in 'lung.bone'"),
        ("lung+bone+brain+soft", "are three"),
        ("lung+bnoe+brain", "did you mean 'bone'"),
        ("lung+bone+0:0", "above 0"),
        ("medgemma+lung+bone", "unknown window 'medgemma'"),
        ("lung+bone+", "unknown window ''"),
    ]:
        with pytest.raises(ImageError, match=words):
            window(text)


def test_range_ignores_values_that_do_not_occur_and_robust_the_rare_ones() -> None:
    values = np.arange(6, dtype=np.float64)
    counts = np.array([0, 1, 500, 498, 1, 0])
    # 0.5 % of 1000 pixels is 5: the one pixel at each end is beyond it.
    assert limits_of(values, counts, RANGE) == (1, 4)
    assert limits_of(values, counts, ROBUST) == (2, 3)
    assert limits_of(values, np.zeros(6, np.int64), RANGE) == (0, 0)


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=40),
    st.integers(-2000, 2000),
    st.integers(1, 4000),
)
def test_shading_each_value_once_is_shading_each_pixel(pixels: list[int], centre: int, width: int) -> None:
    of = window(f"{centre}:{width}")
    by_table = render(np.array(pixels, np.int16), lambda values, counts: shares(values, of, (0, 0)))
    by_pixel = render(np.array(pixels, np.int64), lambda values, counts: shares(values, of, (0, 0)))
    assert by_table.tolist() == by_pixel.tolist()
