"""Cells that look like something else: errors of a spreadsheet, `nan`, boxes in a text, decimal commas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.outside.run import AnswerColumns, outside_run
from pefomed.recipe import Dataset


def read(
    folder: Path, name: str, text: str, loader: str = "table", **options: Any
) -> tuple[list[Any], list[str]]:
    """Return (question, answer, boxes in pixels) of every row, and why others are left out."""
    (folder / name).write_text(text, encoding="utf-8")
    samples, left = load_split(Dataset(loader=loader, root=name, options=options), "train", folder)
    found = []
    for each in samples:
        width, height = each.size or (1, 1)
        boxes = [(b.x0 * width, b.y0 * height, b.x1 * width, b.y1 * height) for b in each.boxes]
        found.append((each.question, each.reference, boxes))
    return found, [each.reason for each in left]


@pytest.mark.parametrize("cell", ["#N/A", "#DIV/0!", "#NAME?", "#WERT!", "nan", "NaN"])
def test_what_stands_for_nothing_is_no_answer(tmp_path: Path, cell: str) -> None:
    text = f"image,question,answer\n0.png,q?,{cell}\n1.png,r?,N/A\n2.png,s?,None\n3.png,{cell},yes\n"
    with pytest.raises(DataError, match=r"line 2: column 'answer' holds '.*', which is no answer"):
        read(tmp_path, "a.csv", text, numbers_as_text=True)
    with pytest.raises(DataError, match=r"line 5: column 'question' holds '.*', which is no question"):
        read(tmp_path, "a.csv", text, skip=["empty answer"])
    found, left = read(tmp_path, "a.csv", text, skip=["empty answer", "empty question"])
    assert [answer for _, answer, _ in found] == ["N/A", "None"]
    assert left == ["empty answer", "empty question"]


def test_nor_a_reference_of_somebody_elses_answers(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,question,reference,answer\n1,q?,#REF!,yes\n")
    with pytest.raises(DataError, match="the reference is '#REF!'"):
        outside_run(file, tmp_path / "run", "d", columns=AnswerColumns())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("<ref>mass</ref><box>(100,100),(500,500)</box>", "'<box>'"),
        ("<|box_start|>(1,2),(3,4)<|box_end|>", "'<|box_start|>'"),
        ('```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "mass"}]\n```', "bbox_2d"),
        ("<p>a mass</p><object><patch_index_0044><patch_index_0863></object>", "<patch_index_0044>"),
        ("2.0", "without `.0` it is another answer"),
    ],
)
def test_boxes_in_a_text_and_whole_numbers_are_named_once(
    tmp_path: Path, answer: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = {
        "image": "0.png",
        "conversations": [{"from": "human", "value": "where?"}, {"from": "gpt", "value": answer}],
    }
    read(tmp_path, "c.jsonl", f"{json.dumps(talk)}\n" * 2, "conversations")
    shown = capsys.readouterr().err
    assert shown.count("note: ") == 1
    assert said in shown
    row = {"image": "0.png", "question": "where?", "answer": answer}
    found, _ = read(tmp_path, "t.jsonl", f"{json.dumps(row)}\n" * 2, numbers_as_text=True)
    assert found[0][1] == answer
    shown = capsys.readouterr().err
    assert shown.count("note: ") == 1
    assert said in shown


BOXES = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"}


def test_decimal_commas_are_named(tmp_path: Path) -> None:
    Image.new("L", (640, 480)).save(tmp_path / "0.png")
    text = "image;phrase;x;y;w;h\n0.png;mass;64,5;48,0;256,25;192,0\n"
    with pytest.raises(DataError, match=r"write the numbers with a decimal point: 64\.5 instead of 64,5"):
        read(tmp_path, "a.csv", text, columns={"question": "phrase"}, boxes=BOXES)


def test_several_phrases_share_the_box_of_their_row(tmp_path: Path) -> None:
    # As VinDr-Mammo has them.
    Image.new("L", (640, 480)).save(tmp_path / "0.png")
    text = (
        "id,image,found,x,y,w,h\n"
        "1,0.png,\"['Mass', 'Calcification']\",64,48,256,192\n2,0.png,['No Finding'],,,,\n"
    )
    options = {"columns": {"question": "found"}, "boxes": BOXES}
    with pytest.raises(DataError, match="line 3"):
        read(tmp_path, "a.csv", text, **options)
    found, left = read(tmp_path, "a.csv", text, skip=["no box"], **options)
    box = [pytest.approx((64, 48, 320, 240))]
    assert found == [("Mass", "", box), ("Calcification", "", box)]
    assert left == ["no box"]


ROW = '{"image": "0.png", "question": "q?", "answer": "yes"}'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", f"{ROW},\n{ROW},\n", "remove the comma behind"),
        ("a.json", f"[{ROW},]", "remove the comma before"),
        ("a.json", '[{"image": "0.png",}]', "remove the comma before"),
        ("a.json", "[{'image': '0.png'}]", "double quotes"),
        ("a.jsonl", '{"image": "0.png", "answer": True}\n', "`true`, `false` and `null`"),
        ("a.csv", "image,question,answer,answer\n0.png,q?,yes,no\n", "rename one of them in the file"),
    ],
)
def test_what_is_wrong_in_files_written_by_hand_is_said(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, name, text)
