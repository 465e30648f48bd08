from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

Writer = Callable[..., Path]
Read = Callable[..., list[Sample]]

SIDES: dict[str, Any] = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"}
ONE: dict[str, Any] = {"columns": ["boxes"], "form": "xyxy", "unit": "relative"}


@pytest.fixture
def read(tmp_path: Path, write_image: Writer) -> Read:
    """Read a table beside the images a.png and b.png of 12 x 8 pixels."""
    for seed, name in enumerate(("a.png", "b.png")):
        write_image(name, seed=seed)

    def read_table(text: str, boxes: Any, name: str = "t.csv", **more: Any) -> list[Sample]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        options = {"boxes": boxes, "columns": {"question": "phrase", **more.pop("columns", {})}, **more}
        return load_samples(Dataset(loader="table", root=name, options=options), "train", tmp_path)

    return read_table


def corners(sample: Sample) -> list[tuple[float, float, float, float]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]


def test_several_rows_a_phrase(read: Read) -> None:
    text = "image,phrase,x,y,w,h,ward\na.png,mass,3,2,6,4,1\nb.png,mass,0,0,3,2,1\na.png,mass,0,0,12,8,2\n"
    first, second = read(text, {**SIDES, "tasks": ["refer", "identify"]}, columns={"meta": ["ward"]})[::2]
    # 3 / 12, 2 / 8, 9 / 12, 6 / 8.
    assert corners(first) == [(0.25, 0.25, 0.75, 0.75), (0, 0, 1, 1)]
    assert (first.task, first.question, first.size) == ("refer", "mass", (12, 8))
    assert first.meta == {"category": "mass", "ward": "1", "boxes": "several"}
    assert corners(second) == [(0, 0, 0.25, 0.25)]
    identify = read(text, {**SIDES, "tasks": ["refer", "identify"]})[1]
    assert (identify.id, identify.question) == (first.id.replace("refer", "identify"), "")
    assert identify.reference == "mass"


@pytest.mark.parametrize(
    "cell",
    ["0.25 0.25 0.75 0.75; 0 0 1 1", "0.25,0.25,0.75,0.75;0,0,1,1;", "[[0.25,0.25,0.75,0.75],[0,0,1,1]]"],
)
def test_several_boxes_a_row(read: Read, cell: str) -> None:
    [sample] = read(f'image,phrase,boxes\na.png,masses,"{cell}"\n', ONE)
    assert corners(sample) == [(0.25, 0.25, 0.75, 0.75), (0, 0, 1, 1)]


def test_json_lines_hold_lists(read: Read) -> None:
    rows = [
        {"image": "a.png", "phrase": "one", "boxes": [0, 0, 0.5, 0.5]},
        {"image": "a.png", "phrase": "two", "boxes": [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]},
    ]
    samples = read("\n".join(json.dumps(row) for row in rows), ONE, "t.jsonl")
    assert [len(sample.boxes) for sample in samples] == [1, 2]


def test_a_task_column_mixes_tasks(read: Read) -> None:
    text = (
        "image,task,phrase,answer,boxes\n"
        "a.png,vqa,Is it large?,yes,\n"
        "a.png,vqa,Is the mass large?,yes,0 0 1 1\n"
        "a.png,refer,mass,,0 0 1 1\n"
        "a.png,identify,mass,,0 0 1 1\n"
        "a.png,detection,mass,,0 0 1 1; 0 0 0.5 0.5\n"
        'a.png,grounding,,"A <p>mass</p>{1} in the <p>lung</p>{0}.",0 0 1 1;0 0 0.5 0.5\n'
    )
    samples = read(text, ONE, columns={"task": "task"})
    assert [(s.task, s.question, s.reference, len(s.boxes)) for s in samples] == [
        ("vqa", "Is it large?", "yes", 0),
        ("vqa", "Is the mass large?", "yes", 1),
        ("refer", "mass", "", 1),
        ("identify", "", "mass", 1),
        ("detection", "mass", "", 2),
        ("grounding", "", "A <p>mass</p>{1} in the <p>lung</p>{0}.", 2),
    ]
    assert samples[0].size is None
    assert "category" not in samples[0].meta
    assert [s.meta.get("category") for s in samples[2:5]] == ["mass"] * 3


def test_sizes_and_categories_are_checked_where_they_are_told(read: Read) -> None:
    head = "image,phrase,x,y,w,h,W,H,kind\n"
    spec = {**SIDES, "width": "W", "height": "H", "category": "kind", "categories": ["mass", "cyst"]}
    [sample] = read(head + "a.png,round thing,3,2,6,4,12,8,mass\n", spec)
    assert sample.meta["category"] == "mass"
    with pytest.raises(DataError, match=r"(?s)t\.csv, line 2, image .*a\.png: the image is not as large"):
        read(head + "a.png,round thing,3,2,6,4,24,16,mass\n", spec)
    [scaled] = read(head + "a.png,round thing,6,4,12,8,24,16,mass\n", {**spec, "scaled_images": True})
    assert scaled.boxes == sample.boxes
    for kind, words in (("mas", "'mas'.*did you mean 'mass'"), ("", "''.*known: cyst, mass")):
        with pytest.raises(DataError, match=f"(?s)line 2: unknown category {words}"):
            read(head + f"a.png,round thing,3,2,6,4,12,8,{kind}\n", spec)


HEAD = "image,phrase,x,y,w,h\n"
GOOD = "a.png,mass,3,2,6,4\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.png,cyst,3,2,10,4\n", "the box stands out of its image.*12 x 8.*may be 'xyxy'"),
        ("a.png,cyst,3,2,0,4\n", "the box has no area"),
        ("a.png,cyst,3,2,-1,4\n", "the box is inverted"),
        ("a.png,cyst,nan,2,1,4\n", "four finite numbers"),
        ("a.png,cyst,,2,1,4\n", "four finite numbers"),
        ("a.png,cyst,0.2,0.2,0.1,0.4\n", "not in the declared unit.*unit = 'relative'"),
        ("a.png,cyst,,,,\n", "a phrase without boxes"),
        ("a.png,,3,2,6,4\n", "column 'phrase' is empty"),
    ],
)
def test_a_wrong_row_is_named(read: Read, text: str, words: str) -> None:
    with pytest.raises(DataError, match=rf"(?s)t\.csv, line 3.*{words}"):
        read(HEAD + GOOD + text, SIDES)


@pytest.mark.parametrize(
    ("text", "boxes", "words"),
    [
        (HEAD + GOOD, {**SIDES, "columns": ["x", "y", "w", "hh"]}, "no column 'hh'.*did you mean 'h'"),
        (HEAD + "none.png,mass,3,2,6,4\n", SIDES, "no image at"),
        ("image,phrase,boxes\na.png,mass,[1\n", ONE, "line 2: column 'boxes' is no list"),
        ("image,phrase,boxes\na.png,mass,0 0 1\n", ONE, "four finite numbers"),
    ],
)
def test_other_mistakes(read: Read, text: str, boxes: Any, words: str) -> None:
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(text, boxes)


@pytest.mark.parametrize(
    ("caption", "words"),
    [("A mass.", "marks none"), ("A <p>mass</p>{1}.", "marks 1; 1 boxes"), ("A <p>mass</p>{}.", "marks ")],
)
def test_marks_of_a_caption_are_numbers_of_its_boxes(read: Read, caption: str, words: str) -> None:
    text = f"image,task,answer,boxes\na.png,grounding,{caption},0 0 1 1\n"
    with pytest.raises(DataError, match=f"(?s)line 2: a grounding caption marks.*{words}"):
        read(text, ONE, columns={"task": "task"})


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ({"columns": ["x", "y", "w", "h"], "unit": "pixel"}, "'boxes.form'"),
        ({"columns": ["x", "y", "w", "h"], "form": "xywh"}, "'boxes.unit'"),
        ({**SIDES, "columns": ["x", "y"]}, "four columns, or one"),
        ({**SIDES, "formm": "xywh"}, "did you mean 'form'"),
        ({**SIDES, "unit": "mm"}, "'pixel', 'relative', 'percent' or 'thousand'"),
    ],
)
def test_form_and_unit_are_never_guessed(read: Read, boxes: Any, words: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s){words}"):
        read(HEAD + GOOD, boxes)


def test_a_task_with_boxes_needs_the_option(tmp_path: Path, write_image: Writer) -> None:
    write_image("a.png")
    (tmp_path / "t.csv").write_text(HEAD + GOOD)
    options = {"task": "refer", "columns": {"question": "phrase"}}
    with pytest.raises(DataError, match="line 2: the task 'refer' needs boxes"):
        load_samples(Dataset(loader="table", root="t.csv", options=options), "train", tmp_path)


ABSENT = {**SIDES, "without": "absent"}


def test_a_phrase_without_a_box_is_an_error_that_says_how(read: Read) -> None:
    with pytest.raises(DataError, match=r'(?s)line 3: a phrase without boxes.*`boxes.without = "absent"`'):
        read(HEAD + GOOD + "a.png,no effusion,,,,\n", SIDES)


def test_a_phrase_without_a_box_is_a_sample_with_an_empty_answer(read: Read) -> None:
    text = HEAD + GOOD + "a.png,No finding,,,,\na.png,No finding,,,,\na.png,mass,1,1,2,2\n"
    mass, nothing = read(text, ABSENT)
    assert (len(mass.boxes), mass.meta["boxes"]) == (2, "several")
    assert (nothing.task, nothing.question, nothing.boxes) == ("refer", "No finding", ())
    assert nothing.size == mass.size
    assert nothing.meta == {"category": "No finding", "boxes": "none"}
    # What stands beside it, and that it may be absent, changes no other sample.
    assert read(HEAD + GOOD + "a.png,mass,1,1,2,2\n", SIDES) == [mass]


def test_lists_and_a_task_column_may_be_without_boxes(read: Read) -> None:
    spec = {**ONE, "without": "absent"}
    rows = [
        {"image": "a.png", "phrase": "one", "boxes": []},
        {"image": "a.png", "phrase": "two", "boxes": None},
    ]
    samples = read("\n".join(json.dumps(row) for row in rows), spec, "t.jsonl")
    assert [sample.boxes for sample in samples] == [(), ()]
    head = "image,task,phrase,boxes\n"
    [found] = read(head + "a.png,detection,mass,\n", spec, columns={"task": "task", "answer": ""})
    assert (found.task, found.boxes) == ("detection", ())
    with pytest.raises(DataError, match="a phrase without boxes"):
        read(head + "a.png,identify,mass,\n", spec, columns={"task": "task", "answer": ""})


def test_a_phrase_cannot_be_there_and_absent(read: Read) -> None:
    with pytest.raises(DataError, match=r"(?s)line 3: a phrase without boxes that has one in another row"):
        read(HEAD + GOOD + "a.png,mass,,,,\n", ABSENT)
    head = "image,phrase,x,y,w,h,reader\n"
    text = head + "a.png,mass,3,2,6,4,R1\na.png,mass,,,,,R2\n"
    one, two = read(text, {**ABSENT, "reader": "reader", "readers": "apart"})
    assert (len(one.boxes), len(two.boxes)) == (1, 0)


def test_nothing_is_identified_where_there_is_no_box(read: Read) -> None:
    spec = {**ABSENT, "tasks": ["refer", "identify", "detection"]}
    samples = read(HEAD + GOOD + "a.png,effusion,,,,\n", spec)
    assert [(s.task, bool(s.boxes)) for s in samples] == [
        ("refer", True), ("identify", True), ("detection", True), ("refer", False), ("detection", False),
    ]  # fmt: skip
