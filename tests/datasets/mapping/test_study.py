"""Several images of one sample: columns with roles, and rows of a study."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Sample

ROWS = [
    {"study": "1", "view": "lateral", "path": "1b.png", "report": "Clear.", "ward": "a", "patient": "p1"},
    {"study": "2", "view": "frontal", "path": "2.png", "report": "Effusion.", "ward": "a", "patient": "p2"},
    {"study": "1", "view": "frontal", "path": "1a.png", "report": "Clear.", "ward": "b", "patient": "p1"},
]
COLUMNS = {"image": "path", "answer": "report", "group_by": "study"}


def read(folder: Path, rows: list[dict[str, str]], **options: Any) -> list[Sample]:
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    dataset = Dataset(loader="table", root="t.csv", options={"task": "report", **options})
    return load_samples(dataset, "train", folder)


def names(sample: Sample) -> list[str]:
    return [Path(image).name for image in sample.images]


def test_columns_of_images(tmp_path: Path) -> None:
    rows = [
        {"frontal_path": "f1.png", "lateral_path": "l1.png", "answer": "Clear."},
        {"frontal_path": "f2.png", "lateral_path": "", "answer": "Effusion."},
    ]
    columns: dict[str, Any] = {"image": ["frontal_path", "lateral_path"]}
    one, two = read(tmp_path, rows, columns=columns)
    assert (names(one), names(two)) == (["f1.png", "l1.png"], ["f2.png"])
    assert one.meta == {}
    columns = {"image": {"lateral": "lateral_path", "frontal": "frontal_path"}}
    one, two = read(tmp_path, rows, columns=columns)
    assert (names(one), names(two)) == (["l1.png", "f1.png"], ["f2.png"])
    assert [one.meta, two.meta] == [{"views": "lateral+frontal"}, {"views": "frontal"}]
    with pytest.raises(DataError, match="line 2: no image in column 'frontal_path' and 'lateral_path'"):
        read(tmp_path, [{**rows[1], "frontal_path": ""}], columns=columns | {"image": [*rows[0]][:2]})


def test_rows_of_a_study_in_the_order_of_the_file(tmp_path: Path) -> None:
    one, two = read(tmp_path, ROWS, columns={**COLUMNS, "meta": ["ward"]})
    assert (names(one), names(two)) == (["1b.png", "1a.png"], ["2.png"])
    assert (one.reference, one.meta, one.owners) == (
        "Clear.",
        {"ward": "a+b"},
        {"study": "1", "patient": "p1"},
    )
    # The study's own number is not in the id: it would leave with the run.
    assert one.id == f"t-{short_hash(['1b.png', '1a.png'], 'report', '', '')}"


def test_rows_of_a_study_in_the_order_of_roles(tmp_path: Path) -> None:
    columns = {**COLUMNS, "role": "view", "roles": ["frontal", "lateral"]}
    one, two = read(tmp_path, ROWS, columns=columns)
    assert (names(one), one.meta) == (["1a.png", "1b.png"], {"views": "frontal+lateral"})
    assert two.meta == {"views": "frontal"}
    with pytest.raises(DataError, match=r"(?s)line 2: unknown role 'lateral'.*columns\.roles.*skip"):
        read(tmp_path, ROWS, columns={**columns, "roles": ["frontal", "oblique"]})


def test_texts_must_agree_and_may_be_said_once(tmp_path: Path) -> None:
    words = (
        r"(?s)line 4: another answer than in .*line 2, and both have the same 'study'.*'Clear.' and 'Big.'"
    )
    with pytest.raises(DataError, match=words):
        read(tmp_path, [*ROWS[:2], {**ROWS[2], "report": "Big."}], columns=COLUMNS)
    one, _ = read(tmp_path, [{**ROWS[0], "report": ""}, *ROWS[1:]], columns=COLUMNS)
    assert (one.reference, names(one)) == ("Clear.", ["1b.png", "1a.png"])
    nowhere = [{**row, "report": ""} if row["study"] == "1" else row for row in ROWS]
    with pytest.raises(DataError, match="line 2: column 'report' is empty"):
        read(tmp_path, nowhere, columns=COLUMNS)
    [two] = read(tmp_path, nowhere, columns=COLUMNS, skip="empty answer")
    assert names(two) == ["2.png"]


def test_several_questions_of_a_study(tmp_path: Path) -> None:
    rows = [{**row, "q": "Is it big?"} for row in ROWS] + [{**ROWS[0], "q": "Where?", "report": "left"}]
    with pytest.raises(DataError, match=r"(?s)line 5: another question.*group by it too"):
        read(tmp_path, rows, columns={**COLUMNS, "question": "q"}, task="vqa")
    columns = {**COLUMNS, "question": "q", "group_by": ["study", "q"]}
    samples = read(tmp_path, rows, columns=columns, task="vqa")
    assert [(sample.question, names(sample)) for sample in samples] == [
        ("Is it big?", ["1b.png", "1a.png"]), ("Is it big?", ["2.png"]), ("Where?", ["1b.png"]),
    ]  # fmt: skip


def test_a_row_without_a_group_and_boxes_of_groups(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)line 2: column 'study', which groups rows, is empty.*skip ="):
        read(tmp_path, [{**ROWS[0], "study": ""}], columns=COLUMNS)
    boxes = {"columns": ["view"], "form": "xywh", "unit": "pixel"}
    with pytest.raises((DataError, RecipeError), match="do not go together"):
        read(tmp_path, ROWS, columns=COLUMNS, boxes=boxes)
