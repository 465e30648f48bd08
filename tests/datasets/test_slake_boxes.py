from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import LeftOut, load_samples, slake_boxes
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WriteJson = Callable[[Path, Any], Path]

RECORD = {
    "img_name": "xmlab5/source.jpg", "question": "?", "answer": "", "q_lang": "en", "location": "Abdomen",
    "modality": "CT", "answer_type": "OPEN", "base_type": "vqa", "qid": 1, "content_type": "Organ",
}  # fmt: skip
BOXES = [{"Liver": [10, 5, 30, 20]}, {"Nodule": [0, 0, 50, 25]}, {"Nodule": [50, 25, 50, 25]}]


@pytest.fixture
def root(tmp_path: Path, write_json: WriteJson) -> Path:
    other = {**RECORD, "img_name": "xmlab6/source.jpg", "qid": 4}
    chinese = {**RECORD, "img_name": "xmlab7/source.jpg", "q_lang": "zh", "qid": 3}
    write_json(tmp_path / "train.json", [RECORD, {**RECORD, "qid": 2}, chinese, other])
    for number, boxes in ((5, BOXES), (6, [])):
        write_json(tmp_path / f"imgs/xmlab{number}/detection.json", boxes)
        Image.new("L", (100, 50)).save(tmp_path / f"imgs/xmlab{number}/source.jpg")
    return tmp_path


def samples(root: Path, **options: Any) -> list[Sample]:
    return [each for each in slake_boxes.load(root, "train", **options) if isinstance(each, Sample)]


def test_boxes_of_a_label_are_one_phrase(root: Path) -> None:
    liver, nodule = samples(root)
    assert liver.model_dump() == {
        "id": "slake_boxes-train-xmlab5-liver-refer",
        "images": (str(root / "imgs/xmlab5/source.jpg"),),
        "task": "refer",
        "question": "Liver",
        "reference": "",
        # 10 / 100, 5 / 50, 40 / 100, 25 / 50.
        "boxes": ({"x0": 0.1, "y0": 0.1, "x1": 0.4, "y1": 0.5},),
        "size": (100, 50),
        "meta": {"category": "Liver", "modality": "CT", "location": "Abdomen", "boxes": "1"},
    }
    assert (len(nodule.boxes), nodule.meta["boxes"]) == (2, "several")
    assert [s.question for s in samples(root, boxes="one")] == ["Liver"]
    assert [s.question for s in samples(root, boxes="several")] == ["Nodule"]


def test_an_image_without_boxes_is_told(root: Path) -> None:
    left_out = [each for each in slake_boxes.load(root, "train") if isinstance(each, LeftOut)]
    path = root / "imgs/xmlab6/detection.json"
    assert left_out == [LeftOut(str(path), "an image without a labelled box")]


def test_tasks(root: Path) -> None:
    found = samples(root, tasks=("identify", "detection", "grounding"))
    assert [(s.id.split("xmlab5-")[1], s.question, s.reference) for s in found] == [
        ("liver-identify", "", "Liver"),
        ("liver-detection", "Liver", ""),
        ("nodule-identify", "", "Nodule"),
        ("nodule-detection", "Nodule", ""),
        (
            "grounding",
            "",
            "An abdominal CT image showing the <p>liver</p>{0}, with <p>nodule</p>{1,2}.",
        ),
    ]
    assert len(found[-1].boxes) == 3


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([{"Liver": [10, 5, 95, 20]}], r"detection\.json, entry 1 \('Liver'\): the box stands out"),
        ([{"Liver": [10, 5, 30]}], "four finite numbers"),
        ([{"Liver": 7}], r"expected \[x, y, width, height\]"),
        ({"Liver": [10, 5, 30, 20]}, "expected a list"),
    ],
)
def test_a_wrong_box_is_an_error(root: Path, write_json: WriteJson, boxes: Any, words: str) -> None:
    write_json(root / "imgs/xmlab5/detection.json", boxes)
    with pytest.raises(DataError, match=words):
        samples(root)


def test_real_boxes(real_data: Path) -> None:
    def read(split: str, **options: Any) -> list[Sample]:
        return load_samples(Dataset(loader="slake_boxes", root="slake", options=options), split, real_data)

    phrases = {split: read(split) for split in ("train", "validate", "test")}
    assert {split: Counter(s.meta["boxes"] for s in found) for split, found in phrases.items()} == {
        "train": {"1": 869, "several": 102},
        "validate": {"1": 194, "several": 28},
        "test": {"1": 174, "several": 21},
    }
    assert sum(len(s.boxes) for found in phrases.values() for s in found) == 1622
    assert len({s.question for found in phrases.values() for s in found}) == 44
    images = {split: {s.images for s in found} for split, found in phrases.items()}
    assert not images["train"] & images["test"]
    assert not images["validate"] & images["test"]
    assert len(read("test", boxes="one")) == 174
    captions = read("test", tasks=["grounding"])
    assert sum(len(s.boxes) for s in captions) == sum(len(s.boxes) for s in phrases["test"])
