"""Boxes that somebody else's model gave: read, scored by hand, with floors of a training table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pefomed.boxes.plain import plain_text, read_plain
from pefomed.errors import DataError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.files import jsonl
from pefomed.outside.box_columns import box_columns
from pefomed.outside.options import answer_table
from pefomed.outside.run import outside_run
from pefomed.schema import Box, Sample

RIGHT = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel", "width": "W", "height": "H"}
GIVEN = {"columns": ["px", "py", "pw", "ph"]}
HEAD = "image,phrase,x,y,w,h,px,py,pw,ph,W,H\n"
# Half of the answer, nothing found, rightly nothing, a box of nothing: IoU 1/2, 0, 1, 0.
ROWS = (
    "a.png,mass,0,0,50,100,0,0,100,100,100,100\n"
    "a.png,cyst,0,0,50,100,,,,,100,100\n"
    "b.png,mass,,,,,,,,,100,100\n"
    "b.png,cyst,,,,,10,10,20,20,100,100\n"
)
TRAIN = (
    "image,phrase,x,y,w,h,W,H\n"
    "c.png,mass,0,0,50,100,100,100\nd.png,mass,0,0,50,100,100,100\nd.png,cyst,,,,,100,100\n"
)


def scored(folder: Path, text: str, out: str = "run", **more: Any) -> dict[tuple[str, str, str], float]:
    """Score a table; return (system, metric, group) -> value."""
    (folder / "boxes.csv").write_text(text, encoding="utf-8")
    files = {name: folder / more.pop(name) for name in ("references", "train") if name in more}
    said = {"task": "refer", "boxes": {**RIGHT, "without": "absent"}, "answer_boxes": GIVEN}
    how = answer_table(None, {**said, "columns": {"question": "phrase"}, **more})
    run = outside_run(
        folder / "boxes.csv",
        folder / out,
        "boxes",
        task=how.task,
        skip=how.skip,
        boxes=how.box_table(None),
        **files,
    )
    return {(s.system, s.metric, s.group): s.value for s in evaluate_run(run)}


def test_values_by_hand(tmp_path: Path) -> None:
    found = scored(tmp_path, HEAD + ROWS)
    assert found["model", "iou", "overall"] == pytest.approx(1.5 / 4)
    assert found["model", "iou", "boxes=any"] == pytest.approx(0.5 / 2)
    assert found["model", "dice", "overall"] == pytest.approx((2 / 3 + 0 + 1 + 0) / 4)
    assert found["model", "acc_0.5", "overall"] == pytest.approx(2 / 4)
    assert found["model", "n_acc", "overall"] == found["model", "t_acc", "overall"] == 0.5
    assert found["model", "unparsable_rate", "overall"] == found["model", "repaired_rate", "overall"] == 0
    assert {system for system, *_ in found} == {"model"}  # no steps, and nothing to learn from
    samples = list(jsonl.read(tmp_path / "run/samples/boxes-test.jsonl", Sample))
    assert [s.size for s in samples] == [(100, 100)] * 4


def test_two_files_of_answers_to_the_same_can_be_compared(tmp_path: Path) -> None:
    how = answer_table(None, {
        "task": "refer", "boxes": {**RIGHT, "without": "absent"}, "answer_boxes": GIVEN,
        "columns": {"question": "phrase"},
    })  # fmt: skip
    runs = []
    for name, text in (("ours", ROWS), ("theirs", ROWS.replace("0,0,100,100,100", "0,0,50,100,100"))):
        (tmp_path / f"{name}.csv").write_text(HEAD + text, encoding="utf-8")
        runs.append(
            outside_run(
                tmp_path / f"{name}.csv", tmp_path / name, "few", task="refer", boxes=how.box_table(None)
            )
        )
    found = {(d.metric, d.group): d for d in compare_runs(*runs, draws=0)}
    # The mass of a.png is exact now: IoU 1 instead of 1/2, in one of four phrases.
    assert found["iou", "overall"].difference == pytest.approx(0.5 / 4)


def test_an_option_said_in_two_places_is_whole_or_refused() -> None:
    said = box_columns(['columns = ["x"]', '{ form = "xywh" }'], "--boxes")
    assert said == {"columns": ["x"], "form": "xywh"}
    with pytest.raises(DataError, match="--boxes says 'form' twice"):
        box_columns(['form = "xywh"', 'form = "xyxy"'], "--boxes")


def test_floors_of_the_training_table(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TRAIN, encoding="utf-8")
    found = scored(tmp_path, HEAD + ROWS, train="train.csv")
    # The median is the left half: right of both phrases that are there. A cyst is none in training.
    assert found["floor:median-box-category", "iou", "overall"] == pytest.approx(2 / 4)
    assert found["floor:always-none", "iou", "overall"] == pytest.approx(2 / 4)
    # Masses get the left half (1 and 0), cysts none (0 and 1).
    assert found["floor:none-or-median-box", "iou", "overall"] == pytest.approx(2 / 4)
    assert found["floor:whole-image", "iou", "boxes=any"] == pytest.approx(1 / 2)
    # Given again without the table, the same answers have no such floors.
    assert {system for system, *_ in scored(tmp_path, HEAD + ROWS)} == {"model"}


def test_numbers_are_compared_as_they_stand(tmp_path: Path) -> None:
    # Thirds of 700 pixels in no hundredths: the same numbers are the same box.
    row = "a.png,mass,233.3,0.7,77.7,12.1,233.3,0.7,77.7,12.1,700,700\n"
    assert scored(tmp_path, HEAD + row)["model", "iou", "overall"] == 1
    box = Box(x0=1 / 3, y0=0.1, x1=2 / 3, y1=0.7)
    reading = read_plain(plain_text([box]))
    assert reading is not None
    assert (reading.boxes, reading.state) == ((box,), "strict")
    assert read_plain(plain_text([])).says_none  # type: ignore[union-attr]
    for text in ("", "no", "[1, 2, 3, 4]", "[[1, 2, 3, 4]]", "[[0.1, 0.2]]", "[" * 10_000):
        assert read_plain(text) is None


def test_several_rows_of_a_phrase_and_cells_left_blank(tmp_path: Path) -> None:
    # Two right boxes, the left and the right half; one given, the left half: IoU 1/2, recall 1/2.
    text = HEAD + "a.png,mass,0,0,50,100,0,0,50,100,100,100\na.png,mass,50,0,50,100,,,,,100,100\n"
    found = scored(tmp_path, text)
    assert found["model", "iou", "overall"] == pytest.approx(0.5)
    assert found["model", "box_recall", "overall"] == pytest.approx(0.5)
    assert found["model", "box_precision", "overall"] == 1


def test_forms_and_units_may_differ_and_sizes_be_unknown(tmp_path: Path) -> None:
    text = 'image,phrase,right,given\na.png,mass,0 0 0.5 1,"[[250, 500, 500, 1000]]"\nb.png,cyst,0 0 1 1,\n'
    boxes = {"columns": ["right"], "form": "xyxy", "unit": "relative"}
    answers = {"columns": ["given"], "form": "cxcywh", "unit": "thousand"}
    found = scored(tmp_path, text, boxes=boxes, answer_boxes=answers, task="detection")
    assert found["model", "iou", "overall"] == pytest.approx(0.5)
    samples = list(jsonl.read(tmp_path / "run/samples/boxes-test.jsonl", Sample))
    assert [(s.task, s.size) for s in samples] == [("detection", None)] * 2


def test_right_boxes_in_a_file_of_their_own(tmp_path: Path) -> None:
    truth = "id,image,phrase,x,y,w,h,W,H\n1,a.png,mass,0,0,50,100,100,100\n2,a.png,cyst,,,,,100,100\n"
    (tmp_path / "truth.csv").write_text(truth, encoding="utf-8")
    given = "id,px,py,pw,ph\n2,,,,\n1,0,0,50,50\n1,0,50,50,50\n"
    found = scored(tmp_path, given, references="truth.csv")
    assert found["model", "iou", "overall"] == 1
    with pytest.raises(DataError, match=r"(?s)ids that .*truth\.csv does not have.*1 ids: 3"):
        scored(tmp_path, given + "3,0,0,1,1\n", "more", references="truth.csv")
    with pytest.raises(DataError, match=r"(?s)every phrase needs an answer.*1 phrases without: 2"):
        scored(tmp_path, "id,px,py,pw,ph\n1,0,0,50,50\n", "less", references="truth.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "a.png,mass,0,0,50,100,60,0,50,100,100,100\n", r"line 2.*the box stands out of its image"),
        (HEAD + "../a.png,mass,0,0,50,100,60,0,40,100,100,100\n", r"line 2.*must stay inside"),
        (
            HEAD.replace("image", "image,model") + "a.png,A,mass,0,0,9,9,0,0,9,9,10,10\n"
            "a.png,B,mass,0,0,9,9,1,1,9,9,10,10\n",
            r"answers of several systems.*column 'model': A, B.*is_not = \"A\"",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"(?s){words}"):
        scored(tmp_path, text)


def test_one_of_several_systems_is_taken_by_a_rule(tmp_path: Path) -> None:
    text = HEAD.replace("image", "image,model") + (
        "a.png,A,mass,0,0,10,10,0,0,10,10,10,10\na.png,B,mass,0,0,10,10,0,0,5,10,10,10\n"
    )
    rule = [{"column": "model", "is_not": "B"}]
    assert scored(tmp_path, text, skip=rule)["model", "iou", "overall"] == pytest.approx(0.5)


def test_a_training_table_that_holds_the_test_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TRAIN + "a.png,Mass ,0,0,50,100,100,100\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)train\.csv holds rows of the test.*1 of 4 samples"):
        scored(tmp_path, HEAD + ROWS, train="train.csv")


def test_what_is_missing_of_boxes_is_told() -> None:
    for said in ({"task": "refer"}, {"boxes": RIGHT}, {"task": "vqa", "boxes": RIGHT, "answer_boxes": GIVEN}):
        with pytest.raises(DataError, match=r"--task refer or detection, --boxes"):
            answer_table(None, said).box_table(None)
    with pytest.raises(DataError, match=r"--boxes: .*unit"):
        answer_table(
            None, {"task": "refer", "boxes": {"columns": ["b"], "form": "xyxy"}, "answer_boxes": GIVEN}
        ).box_table(None)


def test_texts_have_floors_of_a_training_table(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(
        "id,image,question,reference,answer\n1,a.png,Is it large?,yes,no\n2,b.png,Where is it?,left,left\n"
    )
    (tmp_path / "train.csv").write_text(
        "image,question,answer\nc.png,Is it large?,no\nd.png,Is it large?,no\ne.png,Where is it?,left\n"
    )
    run = outside_run(tmp_path / "answers.csv", tmp_path / "run", "texts", train=tmp_path / "train.csv")
    found = {(s.system, s.metric): s.value for s in evaluate_run(run) if s.group == "overall"}
    # Most say no, which neither is; the nearest questions say no and left.
    assert found["floor:majority", "exact_match"] == 0
    assert found["floor:nearest-text", "exact_match"] == 0.5
    assert found["model", "exact_match"] == 0.5
    (tmp_path / "train.csv").write_text("image,question,answer\na.png,is it  large?,yes\n")
    with pytest.raises(DataError, match=r"(?s)holds rows of the test: the same picture.*1 of 2 samples: 1"):
        outside_run(tmp_path / "answers.csv", tmp_path / "run", "texts", train=tmp_path / "train.csv")
