"""`pefomed data map`: what is proposed reads the file, and what nobody can know is asked, not guessed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.test_forms import FORMS, LINES, NOT_READ, shown, shown_of

from pefomed.cli import main
from pefomed.datasets import load_samples
from pefomed.errors import DataError, PefomedError
from pefomed.proposals import Proposal, propose
from pefomed.proposals.page import as_text, as_toml, rows_of
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
    assert {one.option for one in found.open} == {"columns.image", "columns.question", "columns.answer"}
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
    "SIIM-ACR Pneumothorax": "the phrase is not in the file",
    "PadChest-GR": "what a sentence without a box means is asked",
    "VinDr-CXR, each reader": "what a row without a box means is asked",
    "Medical-Diff-VQA": "that `ref_id` names a second picture is not proposed",
    "VinDr-Mammo": "what a row without a box means is asked",
    "HAM10000": "the question is not in the file",
    "ISIC challenge": "the question is not in the file",
    "Shikra's expressions": "which form its boxes have is asked",
    "MIMIC-CXR-JPG": "which part of a report is the answer is asked",
    "IU-Xray, Kaggle": "the shares of its splits are asked of nobody: they have a usual value",
    "VQA-Med, several answers": "the question is not in the file",
    "several answers, joined in a cell": "whether a mark joins answers is asked",
    "messages, several answers": "which field holds further answers is not proposed",
}
"""Forms that are read by an answer of their owner's."""
MAPPED = {
    name: tomllib.loads(f"data = {part}")["data"] for name, (part, _) in LINES.items() if part != NOT_READ
}


@pytest.mark.parametrize("name", MAPPED)
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


@pytest.mark.parametrize(
    ("loader", "names"),
    [
        ("slake", ["test.json", "imgs/xmlab0/source.jpg"]),
        ("vqa_rad", ["VQA_RAD Dataset Public.json"]),
        ("vqa_rad", ["testset.json", "images/synpic1.jpg"]),
        ("path_vqa", ["qas/test/test_qa.pkl", "images/test/1.jpg"]),
        ("iu_xray", ["ecgen-radiology/1.xml"]),
        ("iu_xray", ["indiana_reports.csv", "indiana_projections.csv"]),
        ("mimic_cxr", ["mimic-cxr-2.0.0-split.csv.gz", "mimic-cxr-2.0.0-metadata.csv.gz"]),
        ("ms_cxr", ["MS_CXR_Local_Alignment_v1.0.0.json"]),
        ("ms_cxr_medrpg", ["MS_CXR_val.pth"]),
        ("roco", ["all_data/test/radiology/testdata.csv"]),
        ("roco", ["data/test/radiology/captions.txt"]),
        ("imageclef", ["ImageCLEFmedCaption_2022_caption_prediction_valid.csv", "valid/1.jpg"]),
        ("medicat", ["release/s2_full_figures_oa_nonroco_combined_medical_top4_public.jsonl"]),
        ("chexlocalize", ["CheXlocalize/gt_segmentations_test.json"]),
    ],
)
def test_a_published_layout_is_known_by_its_names(loader: str, names: list[str], tmp_path: Path) -> None:
    root = tmp_path / "data/theirs"
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    # The folder, the one that it alone is in, as archives unpack to, and one of its files.
    for path in (root, tmp_path / "data", root / names[0]):
        found = propose(path, tmp_path / "data")
        assert (found.name, found.loader, found.root) == ("theirs", loader, "theirs")


def test_files_that_are_called_alike_are_not_a_published_layout(tmp_path: Path) -> None:
    # MIMIC-CXR in R2Gen's layout, and questions of one's own called as those of SLAKE.
    row = {"id": "1", "report": "Clear.", "image_path": ["p10/p10000032/s1/0.jpg"]}
    (tmp_path / "a/images").mkdir(parents=True)
    (tmp_path / "a/annotation.json").write_text(json.dumps({"train": [row], "val": [], "test": []}))
    assert propose(tmp_path / "a", tmp_path).loader == "table"
    (tmp_path / "b/imgs").mkdir(parents=True)
    picture(tmp_path / "b/imgs/0.png")
    rows = [{"image": "0.png", "question": "Which side?", "answer": "left"}]
    (tmp_path / "b/train.json").write_text(json.dumps(rows))
    assert propose(tmp_path / "b", tmp_path).loader == "table"


TWO, SINCE = ["frontal+lateral"], ["current+prior"]


@pytest.mark.parametrize(
    ("header", "image", "views"),
    [
        (["lateral_path", "frontal_path"], {"frontal": "frontal_path", "lateral": "lateral_path"}, TWO),
        (["PA image", "Lateral image"], {"frontal": "PA image", "lateral": "Lateral image"}, TWO),
        (["image_prior", "image"], {"current": "image", "prior": "image_prior"}, SINCE),
        (["image", "mask_path"], "image", []),
        (["currentImage", "priorImage"], {"current": "currentImage", "prior": "priorImage"}, SINCE),
        (["image_2", "image_1"], ["image_1", "image_2"], []),
    ],
)  # fmt: skip
def test_several_columns_of_images_are_one_sample(
    folder: Path, header: list[str], image: Any, views: list[str]
) -> None:
    text = f"{','.join(header)},question,answer\n0.png,1.png,Has it grown?,yes\n2.png,,Which side?,left\n"
    found = proposed(folder / "a.csv", text)
    assert found.options["columns"]["image"] == image
    first, _ = read(found, folder)
    assert len(first.images) == (1 if image == "image" else 2)
    assert [first.meta["views"]] == views if views else "views" not in first.meta


def test_the_views_of_a_study_are_offered(folder: Path) -> None:
    text = "study_id,path,view,report\n1,0.png,Lateral,Clear.\n1,1.png,Frontal,Clear.\n2,2.png,Frontal,Big.\n"
    found = proposed(folder / "a.csv", text)
    asked = {one.option: one.choices[0].value for one in found.questions}
    assert asked["columns.group_by"] == "study_id"
    assert (asked["columns.role"], asked["columns.roles"]) == ("view", ["Frontal", "Lateral"])


def test_texts_about_tests_are_no_splits(folder: Path) -> None:
    rows = ["stress test,train", "lab test,train", "stress test,test"]
    text = "image,question,answer,what,part\n"
    text += "".join(f"{n}.png,Is it {n}?,yes,{row}\n" for n, row in enumerate(rows))
    assert proposed(folder / "a.csv", text).options["columns"]["split"] == "part"
    only = proposed(folder / "b.csv", text.replace(",train\n", ",a\n").replace(",test\n", ",b\n"))
    assert "split" not in only.options["columns"]


def run(words: list[str]) -> Any:
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code
