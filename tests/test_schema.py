"""Records refuse what a later step would choke on, when they are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.checked import Checked
from pefomed.datasets.box_columns import BoxColumns
from pefomed.datasets.table import Columns
from pefomed.errors import PefomedError, RecordError
from pefomed.files import jsonl
from pefomed.outside import rows
from pefomed.recipe import Dataset
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
    with pytest.raises(RecordError, match=shown):
        Box(x0=x0, y0=y0, x1=x1, y1=y1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True))
def test_any_upright_box_is_accepted(ends: list[float]) -> None:
    low, high = sorted(ends)
    assert Box(x0=low, y0=low, x1=high, y1=high).x1 == high


def test_a_record_never_changes() -> None:
    sample = Sample(id="1", images=("a.png",), task="vqa")
    with pytest.raises(RecordError, match="frozen"):
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
    with pytest.raises(RecordError):
        Sample(**fields)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Sample(id="1", images=("a",), task="vqq"), r"'task'\n  found: 'vqq'\n  what to do: .*'vqa'"),
        (lambda: Sample(id="1", images=("a",), task="vqa", refrence="x"), "'refrence'\n.*\n.*'reference'"),
        (lambda: Sample(id="1", task="vqa"), r"a sample needs the field 'images'\n  what to do: .*images"),
        (lambda: Sample(id=1, images="a.png", task="vqa"), r"have this 'id'\n  found: 1 \(and 1 more"),
        (lambda: Box(x0=1, y0=0, x1=0.5, y1=1), "not a box\n  found: box is inverted or empty"),
        (lambda: Verdict(sample_id="1", rater="a", label="good"), "cannot have this 'label'\n.*'good'"),
        (lambda: Prediction(sample_id="1"), r"needs the field 'text' \(and 3 more\)"),
        (lambda: Columns(imag="x"), "a table of columns has no field 'imag'\n.*\n.*did you mean 'image'"),
        (lambda: rows.AnswerColumns(id=""), "a table of columns cannot have this 'id'"),
        (lambda: BoxColumns(columns=("a",), form="xy", unit="pixel"), "box columns cannot have this"),
        (lambda: Dataset(loader=3, root="a"), "a data set cannot have this 'loader'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_an_error_of_ours_with_a_remedy(make: Callable[[], object], said: str) -> None:
    with pytest.raises(PefomedError, match=said) as raised:
        make()
    assert raised.value.remedy


def test_a_wrong_line_of_a_file_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "images": ["a"], "task": "vqa"}\n{"id": "1"}\n', encoding="utf-8")
    with pytest.raises(PefomedError, match=r"a\.jsonl, line 2: not a valid sample\n  found: images"):
        list(jsonl.read(path, Sample))


def test_samples_of_older_files_have_one_reference() -> None:
    sample = Sample.model_validate_json('{"id": "1", "images": ["a"], "task": "vqa", "reference": "b"}')
    assert sample.references == ("b",)
    assert "further_references" not in sample.model_dump_json()  # and files of one stay as they were
    several = sample.model_copy(update={"further_references": ("c",)})
    for one in (sample, several):
        assert Sample.model_validate_json(one.model_dump_json()) == one
    assert several.references == ("b", "c")


def test_an_empty_answer_is_a_prediction() -> None:
    kept = Prediction(sample_id="1", text="", tokens=1, finish="stop", generation="greedy")
    assert kept.text == ""


def test_a_failed_judgement_is_none_and_not_zero() -> None:
    assert Verdict(sample_id="1", rater="judge", label=None).label is None
    with pytest.raises(RecordError):
        Verdict(sample_id="1", rater="judge")  # type: ignore[call-arg]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("field", ["value", "low", "high"])
def test_a_score_is_a_number(field: str, number: float) -> None:
    fields: dict[str, Any] = {"value": 0.5, "low": 0.4, "high": 0.6, field: number}
    with pytest.raises(RecordError, match="NaN or infinite"):
        Score(metric="m", system="model", dataset="d", split="test", n=1, implementation="i", **fields)


def test_meta_values_are_text_without_the_spaces_around_them() -> None:
    assert meta_text("CLOSED ") == "CLOSED"
    assert meta_text(3) == "3"


def test_no_error_of_a_record_shows_the_name_of_a_class() -> None:
    def below(kind: type[Checked]) -> Iterator[type[Checked]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    kinds = {kind for kind in below(Checked) if kind.__module__.startswith("pefomed.")}
    assert len(kinds) > 10
    for kind in kinds:
        with pytest.raises(PefomedError) as raised:
            kind(**{"no such field": 1})
        said = re.fullmatch(r"(an? [a-z ]+) has no field '.*'|not (an? [a-z ]+)", raised.value.problem)
        assert said, raised.value.problem
        article, noun = (said[1] or said[2]).split(maxsplit=1)
        assert article == ("an" if noun[0] in "aeiou" else "a"), raised.value.problem
