"""`pefomed data map`: what is proposed reads the file, and what nobody can know is asked, not guessed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.data.test_forms import FORMS, LINES, NOT_READ, shown, shown_of

from pefomed.cli import main
from pefomed.data import load_samples
from pefomed.data.proposals import Proposal, propose
from pefomed.data.proposals.page import as_text, as_toml, rows_of
from pefomed.errors import DataError, PefomedError
from pefomed.recipe import Dataset

W, H = 2560, 1920  # so that a box beyond 1,000 is no box in thousandths


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((H, W), np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(3):
        picture(tmp_path / f"pictures/{n}.png")
    return tmp_path


def proposed(path: Path, text: str) -> Proposal:
    path.write_text(text, encoding="utf-8")
    return propose(path, path.parent)


def read(proposal: Proposal, folder: Path) -> list[Any]:
    """Read the samples by the TOML that is printed, as a recipe would."""
    (raw,) = tomllib.loads(as_toml(proposal))["data"].values()
    return load_samples(Dataset.model_validate(raw), "train", folder)


def test_a_table_is_read_by_what_is_proposed(folder: Path) -> None:
    found = proposed(
        folder / "theirs.csv",
        "Patient,Figure,Frage,Antwort\n"
        "Anna Muster,0.png,Is there a mass?,yes\nAnna Muster,1.png,Which side?,left\n",
    )
    assert found.options["images"] == "pictures"
    assert found.options["columns"]["question"] == "Frage"
    assert found.open == []
    samples = read(found, folder)
    assert [(Path(s.images[0]).name, s.question, s.reference) for s in samples] == [
        ("0.png", "Is there a mass?", "yes"),
        ("1.png", "Which side?", "left"),
    ]
    shown = as_toml(found) + as_text(found, rows_of(found, folder), 80)
    assert "Patient" in shown
    assert "Muster" not in shown


def test_what_a_box_means_is_asked_where_several_readings_fit(folder: Path) -> None:
    # xywh: 1040..2240 x 300..1200; xyxy: 1040..1200 x 300..900: both within the picture
    found = proposed(
        folder / "a.jsonl",
        json.dumps({"file": "0.png", "label": "mass", "bbox": [1040, 300, 1200, 900]}) + "\n",
    )
    (form,) = [one for one in found.open if one.option == "boxes.form"]
    gives = {choice.value: choice.gives for choice in form.choices}
    assert "1040 to 2240 of 2560 across and 300 to 1200 of 1920 down" in gives["xywh"]
    assert "1040 to 1200 of 2560 across and 300 to 900 of 1920 down" in gives["xyxy"]
    assert "form" not in found.options["boxes"]
    assert found.options["boxes"]["unit"] == "pixel"
    assert "# TO DECIDE: form" in as_toml(found)


def test_what_only_one_reading_fits_is_taken_and_said(folder: Path) -> None:
    # 1600 + 2400 is beyond 2560, and 2400 beyond 1920: only left, top, right, bottom fits
    rows = [
        {"file": f"{n}.png", "label": "mass", "bbox": box}
        for n, box in enumerate([[1600, 1200, 2400, 1840]] * 2)
    ]
    found = proposed(folder / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert found.options["boxes"]["form"] == "xyxy"
    assert "only this reading fits the images in all 2 boxes" in found.why["boxes.form"]
    (first, _) = read(found, folder)
    (box,) = first.boxes
    assert (box.x0, box.y1) == (1600 / W, 1840 / H)


def test_names_say_the_form_and_others_that_fit_are_mentioned(folder: Path) -> None:
    found = proposed(folder / "a.csv", "path,class,x_min,y_min,x_max,y_max\n0.png,mass,256,192,1280,960\n")
    assert found.options["boxes"]["form"] == "xyxy"
    assert "xywh" in found.why["boxes.form"]
    assert found.open == []
    assert read(found, folder)[0].boxes[0].x1 == 0.5


def test_a_missing_picture_and_an_unknown_column_are_questions(folder: Path) -> None:
    found = proposed(folder / "a.csv", "picture,what\nx/9.png,heart\n")
    assert {one.option for one in found.open} == {"columns.image", "columns.question"}
    assert "'heart'" in as_toml(found)


def test_an_answer_that_is_a_file_elsewhere_is_no_picture(folder: Path) -> None:
    (folder / "other").mkdir()
    Image.new("L", (4, 4)).save(folder / "other" / "b.png")
    found = proposed(folder / "a.csv", "image,question,answer\nhttp://x/y.png,what?,b\n")
    assert "columns.image" in {one.option for one in found.open}
    assert "b.png" not in as_toml(found)


def test_an_id_that_repeats_is_not_the_id(folder: Path) -> None:
    text = "id,image,question,answer\n7,0.png,Is it?,yes\n7,1.png,Is it?,no\n"
    found = proposed(folder / "a.csv", text)
    assert found.options["columns"]["id"] == ""
    assert len(read(found, folder)) == 2


def test_a_coco_file_finds_its_images(folder: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "0.png", "width": W, "height": H}],
        "categories": [{"id": 1, "name": "mass"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [64, 48, 256, 192]}],
    }
    found = proposed(folder / "boxes.json", json.dumps(content))
    assert found.loader == "coco"
    assert found.options == {"annotations": "boxes.json", "images": "pictures"}
    assert read(found, folder)[0].question == "mass"


@pytest.mark.parametrize("name", ["nothing.csv", "a.docx", "empty"])
def test_what_is_nothing_is_one_error(folder: Path, name: str) -> None:
    if name == "a.docx":
        (folder / name).write_bytes(b"PK")
    if name == "empty":
        (folder / name).mkdir()
    with pytest.raises(DataError):
        propose(folder / name, folder)


def test_the_command_prints_a_part_and_three_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{n % 3}.png,Is it {n}?,yes\n" for n in range(9))
    (folder / "a.csv").write_text("image,question,answer\n" + rows)
    out = folder / "part.toml"
    words = ["data", "map", str(folder / "a.csv"), "--data", str(folder)]
    assert run([*words, "-o", str(out)]) == 0
    shown = capsys.readouterr().out
    assert out.read_text() in shown
    assert shown.count("question: Is it") == 3
    assert run([*words, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["toml"] == out.read_text()
    assert [row["question"] for row in values["rows"]] == ["Is it 0?", "Is it 1?", "Is it 2?"]
    assert run([*words, "-o", str(out)]) == 2


OTHERWISE = {
    "rows of a study": "grouping is offered, not chosen",
    "PadChest": "which projections are wanted nobody but the reader knows",
    "DeepLesion": "the phrase is not in the file",
    "RSNA Pneumonia": "the phrase is not in the file",
    "RSNA Pneumonia, the healthy too": "the phrase is not in the file",
    "PadChest-GR": "what a sentence without a box means is asked",
    "VinDr-CXR, each reader": "what a row without a box means is asked",
    "VQA-Med, several answers": "the question is not in the file",
    "several answers, joined in a cell": "whether a mark joins answers is asked",
    "messages, several answers": "which field holds further answers is not proposed",
}
"""Forms that are read by an answer of their owner's."""
OWN = ("coco", "conversations", "hugging_face", "labelme", "masks", "table", "voc", "yolo")
MAPPED = {
    name: tomllib.loads(f"data = {part}")["data"] for name, (part, _) in LINES.items() if part != NOT_READ
}


@pytest.mark.parametrize("name", [name for name, raw in MAPPED.items() if raw["loader"] in OWN])
def test_a_published_form_is_recognised(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    raw, form = MAPPED[name], FORMS[name]
    form.write(tmp_path / "mine")
    at = raw.get("options", {}).get("annotations", "").replace("{split}", "train")
    found = propose(tmp_path / raw["root"] / at if at else tmp_path / raw["root"], tmp_path)
    assert found.loader == raw["loader"]
    tomllib.loads(as_toml(found))
    rows = rows_of(found, tmp_path)
    if name in OTHERWISE:
        return
    assert not isinstance(rows, PefomedError), rows
    # with the first answer to each question that is asked
    assert [shown(row) for row in rows] == [shown_of(seen) for seen in form.seen][:3]


def run(words: list[str]) -> Any:
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code
