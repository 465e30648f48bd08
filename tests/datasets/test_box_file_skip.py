"""What is wrong in files of boxes is an error that names a rule, and with the rule it is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset

BOX = [64, 48, 256, 192]


def picture(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (640, 480), len(name)).save(folder / name)


def read(folder: Path, loader: str, skip: Any = None, **options: Any) -> tuple[list[str], list[str]]:
    """Return the phrases, and why the rest is left out."""
    named = options if skip is None else {**options, "skip": skip}
    samples, left = load_split(Dataset(loader=loader, root=".", options=named), "train", folder)
    return [sample.question for sample in samples], [each.reason for each in left]


def coco(folder: Path, *wrong: dict[str, Any]) -> None:
    picture(folder, "0.png", "1.png")
    made = {
        "images": [
            {"id": 0, "file_name": "0.png"},
            {"id": 1, "file_name": "1.png"},
            {"id": 2, "file_name": "2.png"},
        ],
        "categories": [{"id": 1, "name": "mass"}, {"id": 2, "name": "rib"}],
        "annotations": [
            {"id": number, "image_id": 0, "category_id": 1, "bbox": BOX} | each
            for number, each in enumerate([{}, {"image_id": 1, "category_id": 2}, *wrong])
        ],
    }
    (folder / "train.json").write_text(json.dumps(made), encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "rule", "phrases", "reason"),
    [
        ({"category_id": None}, "no category", ["mass", "rib"], "no category"),
        ({"bbox": None}, "no box", ["mass", "rib"], "no box"),
        ({"bbox": None, "segmentation": {"size": [480, 640], "counts": [640 * 480]}}, "no box",
         ["mass", "rib"], "no box"),
        # Without all of its boxes the phrase would be scored wrongly.
        ({"bbox": [600, 48, 256, 192]}, "wrong box", ["rib"], "the box stands out of its image"),
        ({"bbox": None, "segmentation": [[1, 2, 3]]}, "wrong box", ["rib"],
         "a polygon is a list of an even number of coordinates"),
        ({"image_id": 2}, "missing image", ["mass", "rib"], "missing image"),
    ],
)  # fmt: skip
def test_one_wrong_annotation_is_left_out_by_its_rule(
    tmp_path: Path, wrong: dict[str, Any], rule: str, phrases: list[str], reason: str
) -> None:
    coco(tmp_path, wrong)
    with pytest.raises(DataError, match=rf'(?s)annotation 2.*skip = \["{rule}"\]|no image at .*2\.png'):
        read(tmp_path, "coco")
    found, left = read(tmp_path, "coco", [rule])
    assert found == phrases
    assert reason in left


def test_a_value_of_a_field_is_a_rule(tmp_path: Path) -> None:
    coco(tmp_path, {"iscrowd": 1, "bbox": [0, 0, 9, 9]}, {"iscrowd": 0, "category_id": 2})
    # The first two annotations do not say `iscrowd`: it is empty there.
    found, left = read(tmp_path, "coco", {"column": "iscrowd", "is": 1})
    assert found == ["mass", "rib", "rib"]
    assert "iscrowd is 1" in left
    with pytest.raises(DataError, match="annotation 0: no column 'crowd'"):
        read(tmp_path, "coco", {"column": "crowd", "is": 1})
    with pytest.raises(RecipeError, match="no rule 'no boxes'"):
        read(tmp_path, "coco", "no boxes")


def test_labels_without_an_image_are_left_out_by_a_rule(tmp_path: Path) -> None:
    picture(tmp_path, "images/0.png")
    (tmp_path / "labels").mkdir()
    for name in ("0", "7"):
        (tmp_path / f"labels/{name}.txt").write_text("0 .3 .3 .4 .4\n1 .9 .9 .4 .4\n", encoding="utf-8")
    (tmp_path / "classes.txt").write_text("mass\nrib\n", encoding="utf-8")
    with pytest.raises(DataError, match=r'skip = \["missing image"\]'):
        read(tmp_path, "yolo")
    with pytest.raises(DataError, match=r'(?s)0\.txt, line 2.*skip = \["wrong box"\]'):
        read(tmp_path, "yolo", ["missing image"])
    found, left = read(tmp_path, "yolo", ["missing image", "wrong box"])
    assert found == ["mass"]
    assert left == ["missing image", "the box stands out of its image"]


def test_files_of_an_image_each_have_the_same_rules(tmp_path: Path) -> None:
    picture(tmp_path, "voc/0.png", "me/0.png")
    box = "<bndbox><xmin>65</xmin><ymin>49</ymin><xmax>320</xmax><ymax>240</ymax></bndbox>"
    for name in ("0", "7"):
        (tmp_path / f"voc/{name}.xml").write_text(
            f"<annotation><object><name>mass</name>{box}</object>"
            f"<object><name>rib</name><difficult>1</difficult>{box}</object>"
            "<object><name>heart</name><polygon/></object></annotation>", encoding="utf-8",
        )  # fmt: skip
        shapes = [
            {"label": "mass", "points": [[64, 48], [320, 240]], "shape_type": "rectangle"},
            {"label": "rib", "points": [[0, 0]], "shape_type": "rectangle"},
        ]
        (tmp_path / f"me/{name}.json").write_text(
            json.dumps({"imagePath": f"{name}.png", "shapes": shapes}), encoding="utf-8"
        )
    rules = ["missing image", "wrong box", {"column": "difficult", "is": 1}]
    found, left = read(tmp_path, "voc", rules, annotations="voc")
    assert (found, left) == (["mass"], ["missing image", "difficult is 1", "no <bndbox>"])
    found, left = read(tmp_path, "labelme", rules[:2], annotations="me")
    assert (found, left) == (["mass"], ["missing image", "an outline needs 2 points of two finite numbers"])
    for loader, folder in (("voc", "voc"), ("labelme", "me")):
        with pytest.raises(DataError, match=r"no image '7"):
            read(tmp_path, loader, ["wrong box"], annotations=folder)
