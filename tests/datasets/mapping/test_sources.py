"""Every field of a sample from a column, a path, several joined, a template, a constant, words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

ROW = {
    "image": "a.png",
    "question": "Where?",
    "answer": "left",
    "about": {"person": {"id": 7}, "Q": "Which side?", "a.b": "dotted"},
    "turns": [{"from": "human", "value": "Is it big?"}, {"from": "gpt", "value": "yes"}],
    "number": 12,
    "findings": "Clear lungs.",
    "impression": " ",
    "packed": '{"answer": "in text"}',
    "written": "{'answer': 'as Python writes it'}",
    "class": 0.0,
}


def read(folder: Path, *rows: dict[str, Any], **options: Any) -> list[Sample]:
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = Dataset(loader="table", root="t.jsonl", options=options)
    return load_samples(dataset, options.get("only_split", "train"), folder)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("question", "Where?"),
        ("about.Q", "Which side?"),
        ("about.a.b", "dotted"),
        ("turns.0.value", "Is it big?"),
        ("turns.-1.value", "yes"),
        ("packed.answer", "in text"),
        ("written.answer", "as Python writes it"),
        (["findings", "impression", "about.Q"], "Clear lungs. Which side?"),
        ("{about.Q} In {findings}", "Which side? In Clear lungs."),
        ("{{{number:04}}}", "{0012}"),
        ("{question:.2}/{question}", "Wh/Where?"),
        ({"constant": "Describe."}, "Describe."),
        ([{"constant": "Look:"}, "question"], "Look: Where?"),
        ({"column": "class", "words": {"0": "no", "1": "yes"}}, "no"),
        ({"column": "number", "words": {"12": "dozen"}}, "dozen"),
    ],
)
def test_a_field_from_anywhere(tmp_path: Path, source: Any, text: str) -> None:
    [asked] = read(tmp_path, ROW, columns={"question": source})
    assert asked.question == text
    [answered] = read(tmp_path, ROW, columns={"answer": source})
    assert answered.reference == text
    [grouped] = read(tmp_path, ROW, columns={"meta": {"key": source}})
    assert grouped.meta == {"key": text}
    [named] = read(tmp_path, ROW, columns={"id": source})
    assert named.id == text


def test_a_name_that_is_there_counts_before_a_path_and_a_template(tmp_path: Path) -> None:
    row = {**ROW, "about.Q": "exact", "{number}": "braces"}
    assert [s.question for s in read(tmp_path, row, columns={"question": "about.Q"})] == ["exact"]
    assert [s.question for s in read(tmp_path, row, columns={"question": "{number}"})] == ["braces"]


def test_texts_are_joined_by_what_is_said(tmp_path: Path) -> None:
    columns = {"answer": ["findings", "impression", "question"], "joined_by": "\n"}
    assert read(tmp_path, ROW, columns=columns)[0].reference == "Clear lungs.\nWhere?"


@pytest.mark.parametrize("nothing", ["nan", "NaN", "#N/A", ""])
def test_what_stands_for_nothing_is_no_part_of_a_text_and_no_picture(tmp_path: Path, nothing: str) -> None:
    row = {**ROW, "findings": nothing, "name": nothing}
    [joined] = read(tmp_path, row, columns={"answer": ["findings", "question"]})
    assert joined.reference == "Where?"
    for image in ("name", "images/{name}.png"):
        with pytest.raises(DataError, match="no image in column"):
            read(tmp_path, row, columns={"image": image})


def test_task_split_and_owner_inside_objects(tmp_path: Path) -> None:
    rows = [
        {**ROW, "about": {"kind": "report", "fold": "test", "patient_id": "p1"}},
        {**ROW, "about": {"kind": "vqa", "fold": "train", "patient_id": "p2"}},
    ]
    [sample] = read(tmp_path, *rows, columns={"split": "about.fold", "task": "about.kind"})
    assert (sample.task, sample.owners) == ("vqa", {"about.patient_id": "p2"})


def test_further_answers_and_choices_by_path(tmp_path: Path) -> None:
    row = {**ROW, "more": {"alt": "links", "choices": {"A": "left", "B": "right"}}}
    [sample] = read(tmp_path, row, columns={"further": ["more.alt"], "choices": ["more.choices"]})
    assert sample.references == ("left", "links")
    assert sample.question == "Where?\nA: left\nB: right"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("abot.Q", "no column 'abot.Q'.*`columns`.*did you mean 'about.Q'"),
        ("about.q", "no column 'about.q'.*did you mean 'about.Q'"),
        ("turns.0.vale", "no column 'turns.0.vale'"),
        ("{nunber}", "no column 'nunber'.*did you mean 'number'"),
        (["findings", "impresion"], "no column 'impresion'.*did you mean 'impression'"),
        ("turns", "'turns' holds a list, not one text"),
        ("about", "'about' holds an object, not one text"),
        ("turns.7.value", "column 'turns.7.value' is empty"),
        ("{impression}", "column '{impression}' is empty"),
    ],
)
def test_what_is_not_there_is_named_with_its_row(tmp_path: Path, source: Any, words: str) -> None:
    good = {**ROW, "question": "Where?"}
    with pytest.raises(DataError, match=rf"(?s)t\.jsonl, line 2: .*{words}"):
        read(tmp_path, {**good, **dict.fromkeys(_names(source), "12")}, good, columns={"question": source})


def _names(source: Any) -> list[str]:
    """Return the columns that a first row needs to be right."""
    if isinstance(source, dict):
        return ["unused"]
    return [source] if isinstance(source, str) else source


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"question": ""}, "columns.question.*name a column"),
        ({"question": []}, "columns.question.*at least one column"),
        ({"question": 3}, "columns.question.*a template"),
        ({"question": {"constnt": "x"}}, "columns.question.*'constnt' is none of its keys"),
        ({"question": {"constant": ""}}, "columns.question"),
        ({"answer": {"column": "a", "words": {"0": 1}}}, "columns.answer"),
        ({"image": {}}, "columns.image.*at least one column"),
        ({"meta": 3}, "columns.meta.*columns' names"),
        ({"roles": ["frontal"]}, "`roles` needs `role`"),
        ({"role": "view", "roles": ["frontal"]}, "`role` needs `group_by`"),
        ({"quesion": "q"}, "did you mean 'question'"),
    ],
)
def test_a_wrong_mapping_is_refused_before_a_row_is_read(
    tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    with pytest.raises(RecipeError, match=f"(?s){words}"):
        read(tmp_path, ROW, columns=columns)


def test_the_ids_of_plain_columns_stay_what_they_were(tmp_path: Path) -> None:
    images = ["a.png", ["a.png", "b.png"], "a.png; b.png", ["a.png", ""], "a.png;"]
    rows = [{**ROW, "image": image} for image in images]
    # As the release before mappings made them.
    assert [sample.id for sample in read(tmp_path, *rows)] == [
        "t-6468982204b1da5e", "t-78df2651438eac8e", "t-08174ecc174bcbbe", "t-03de00534caca777",
        "t-57a6f3afecb75679",
    ]  # fmt: skip
    [unknown] = [{"column": "number", "words": {"0": "no"}}]
    with pytest.raises(DataError, match=r"line 1: .*holds '12', which `words` does not know"):
        read(tmp_path, ROW, columns={"question": unknown})
