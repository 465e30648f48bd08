"""Records refuse what a later step would choke on, when they are made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pefomed.schema import Box, Prediction, Sample, Score, Verdict, meta_text


@pytest.mark.parametrize(
    ("corners", "shown"),
    [
        ((0.5, 0.1, 0.4, 0.9), "inverted"),
        ((0.1, 0.9, 0.4, 0.5), "inverted"),
        ((0.1, 0.1, 0.1, 0.9), "inverted or empty"),
        ((-0.1, 0.1, 0.4, 0.9), "greater than or equal to 0"),
        ((0.1, 0.1, 0.4, 1.1), "less than or equal to 1"),
        ((float("nan"), 0.1, 0.4, 0.9), "x0"),
    ],
)
def test_a_box_is_upright_and_inside_the_image(corners: tuple[float, ...], shown: str) -> None:
    x0, y0, x1, y1 = corners
    with pytest.raises(ValidationError, match=shown):
        Box(x0=x0, y0=y0, x1=x1, y1=y1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True))
def test_any_upright_box_is_accepted(ends: list[float]) -> None:
    low, high = sorted(ends)
    assert Box(x0=low, y0=low, x1=high, y1=high).x1 == high


def test_a_record_never_changes() -> None:
    sample = Sample(id="1", images=("a.png",), task="vqa")
    with pytest.raises(ValidationError, match="frozen"):
        sample.reference = "yes"  # type: ignore[misc]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "", "images": ("a.png",), "task": "vqa"},
        {"id": "1", "images": (), "task": "vqa"},
        {"id": "1", "images": ("a.png",), "task": "guess"},
        {"id": "1", "images": ("a.png",), "task": "vqa", "answer": "an unknown field"},
    ],
)
def test_a_sample_needs_an_id_an_image_and_a_known_task(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sample(**fields)


def test_an_empty_answer_is_a_prediction() -> None:
    kept = Prediction(sample_id="1", text="", tokens=1, finish="stop", generation="greedy")
    assert kept.text == ""


def test_a_failed_judgement_is_none_and_not_zero() -> None:
    assert Verdict(sample_id="1", rater="judge", label=None).label is None
    with pytest.raises(ValidationError):
        Verdict(sample_id="1", rater="judge")  # type: ignore[call-arg]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", ["value", "low", "high"])
def test_a_score_is_a_number(field: str, number: float) -> None:
    fields: dict[str, Any] = {"value": 0.5, "low": 0.4, "high": 0.6, field: number}
    with pytest.raises(ValidationError, match="NaN or infinite"):
        Score(metric="m", system="model", dataset="d", split="test", n=1, implementation="i", **fields)


def test_meta_values_are_text_without_the_spaces_around_them() -> None:
    assert meta_text("CLOSED ") == "CLOSED"
    assert meta_text(3) == "3"
