"""Left and right in words, exchanged where that is sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.samples.side_words import exchanged


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("Left Lung, Upper Right", "Right Lung, Upper Left"),
        ("What is the leftmost organ in this image?", "What is the rightmost organ in this image?"),
        ("RIGHT", "LEFT"),
        ("a left-sided effusion", "a right-sided effusion"),
        ("Which lobe is abnormal,left or right?", "Which lobe is abnormal,right or left?"),
        ("the liver is left of the spleen", "the liver is right of the spleen"),
        ("Upright chest, the heart is bright", "Upright chest, the heart is bright"),
        ("bilateral", "bilateral"),
        ("", ""),
        ("L4 is intact", "L4 is intact"),
        ("TGF-\u03b2 on the left", "TGF-\u03b2 on the right"),
    ],
)
def test_sides_are_exchanged(text: str, mirrored: str) -> None:
    assert exchanged(text) == mirrored
    assert exchanged(mirrored) == text


@pytest.mark.parametrize(
    "text",
    [
        "opacity in the RUL", "the R hemidiaphragm", "Is the LV dilated?", "rt lung", "dextrocardia",
        "situs inversus", "Is there a marker?", "the lingula", "right middle lobe", "clockwise",
        "at 3 o'clock", "Is this right?", "pneumonia, right?", "It is all right", "a right-handed man",
        "nothing was left", "left untreated", "Is the heart on the correct side?", "links", "Lunge rechts",
        "le poumon gauche", "pulm\xf3n izquierdo", "polmone destro", "h\xf6ger lunga", "\u5de6\u80ba",
        "\u043b\u0435\u0432\u043e\u0435 \u043b\u0451\u0433\u043a\u043e\u0435", "\u5de6",
        "\u0627\u0644\u0631\u0626\u0629 \u0627\u0644\u064a\u0633\u0631\u0649",
    ],
)  # fmt: skip
def test_what_is_not_sure_is_refused(text: str) -> None:
    assert exchanged(text) is None


@given(st.text(st.sampled_from("abelftrighno LRI,?.-"), max_size=40))
def test_twice_exchanged_is_the_text(text: str) -> None:
    once = exchanged(text)
    if once is not None and text == text.lower():
        assert exchanged(once) in (text, None)
