from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import slake, slake_captions
from pefomed.errors import DataError

WriteJson = Callable[[Path, Any], Path]


@pytest.mark.parametrize(
    ("modality", "location", "places", "caption"),
    [
        ("X-Ray", "Lung", {}, "A chest X-Ray image."),
        ("MRI", "Abdomen", {"Liver": ["at the top"]}, "An abdominal MRI image showing the liver at the top."),
        (
            "CT", "Abdomen",
            {"Liver": ["on the left"], "Left Kidney": ["on the right"], "Liver Cancer": ["at the top"] * 2},
            "An abdominal CT image showing the liver on the left and the left kidney on the right, with liver"
            " cancer at the top.",
        ),
        (
            "MRI", "Brain_Tissue",
            {"Brain Enhancing Tumor": ["at the top", "in the center", "at the top"]},
            "An MRI image of the brain tissue with three enhancing brain tumors at the top and in the"
            " center.",
        ),
        (
            "X-Ray", "Lung", {"Nodule": ["on the upper left"], "Effusion": ["on the right"]},
            "A chest X-Ray image with a nodule on the upper left and an effusion on the right.",
        ),
    ],
)  # fmt: skip
def test_captions(modality: str, location: str, places: dict[str, list[str]], caption: str) -> None:
    assert slake_captions.compose(modality, location, places) == caption


def test_boxes_become_places(tmp_path: Path, write_json: WriteJson) -> None:
    record = {
        "img_name": "xmlab5/source.jpg", "question": "?", "answer": "", "q_lang": "en", "location": "Lung",
        "modality": "X-Ray", "answer_type": "OPEN", "base_type": "vqa", "qid": 1, "content_type": "Organ",
    }  # fmt: skip
    write_json(tmp_path / "train.json", [record, {**record, "qid": 2}, {**record, "q_lang": "zh", "qid": 3}])
    # Image 100 x 50: the box's centre (15, 40) is in the lower left, (50, 25) the very middle.
    write_json(
        tmp_path / "imgs/xmlab5/detection.json", [{"Mass": [10, 35, 10, 10]}, {"Heart": [40, 15, 20, 20]}]
    )
    Image.new("L", (100, 50)).save(tmp_path / "imgs/xmlab5/source.jpg")
    (sample,) = slake_captions.load(tmp_path, "train")
    assert sample.id == "slake_captions-train-xmlab5"
    assert sample.task == "caption"
    assert sample.reference == (
        "A chest X-Ray image showing the heart in the center, with a mass on the lower left."
    )
    write_json(tmp_path / "imgs/xmlab5/detection.json", [{"Mass": [10, 35, 10]}])
    with pytest.raises(DataError, match=r"detection\.json: 'Mass' needs"):
        list(slake_captions.load(tmp_path, "train"))


def test_real_captions(real_data: Path) -> None:
    root = real_data / "slake"
    captions = {split: list(slake_captions.load(root, split)) for split in ("train", "validate", "test")}
    assert [len(samples) for samples in captions.values()] == [450, 96, 96]
    test_images = {sample.images for sample in slake.load(root, "test")}
    assert not test_images & {sample.images for sample in captions["train"]}
    for sample in captions["train"]:
        assert re.fullmatch(r"An? [A-Za-z][A-Za-z, -]+\.", sample.reference), sample.reference
        assert "  " not in sample.reference
    assert captions["train"] == list(slake_captions.load(root, "train"))
