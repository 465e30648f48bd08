from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as coco

from pefomed.datasets import card, load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset

NAME = "patient64541_study1_view1_frontal"
SQUARE = [[64, 48], [320, 48], [320, 240], [64, 240]]
SMALL = [[500.0, 400.0], [532.0, 400.0], [532.0, 424.0]]
TENTHS = (0.1, 0.1, 0.5, 0.5)
OUTLINES = {"img_size": [480, 640], "Edema": [SQUARE, SMALL], "Lung Lesion": [SQUARE]}


def write(folder: Path, content: Any, kind: str = "annotations", split: str = "val") -> None:
    image = folder / f"chex/CheXpert/{split}/patient64541/study1/view1_frontal.jpg"
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (640, 480)).save(image)
    (folder / "chex/CheXlocalize").mkdir(exist_ok=True)
    (folder / f"chex/CheXlocalize/gt_{kind}_{split}.json").write_text(json.dumps(content), encoding="utf-8")


def read(folder: Path, split: str = "validate", **options: Any) -> tuple[dict[str, list[Any]], list[str]]:
    samples, left = load_split(Dataset(loader="chexlocalize", root="chex", options=options), split, folder)
    assert all(
        sample.owners == {"patient": "patient64541", "study": "patient64541_study1"} for sample in samples
    )
    assert all(sample.size == (640, 480) for sample in samples)
    return {
        sample.question: [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes] for sample in samples
    }, [each.reason for each in left]


def code(outlines: list[Any]) -> dict[str, Any]:
    """Return the run-length code as the publishers make it: the outlines drawn by Pillow, their edges too."""
    drawn = Image.new("1", (640, 480))
    for outline in outlines:
        ImageDraw.Draw(drawn).polygon([tuple(point) for point in outline], outline=1, fill=1)
    packed = coco.encode(np.asfortranarray(np.array(drawn, dtype=np.uint8)))
    return {"size": packed["size"], "counts": packed["counts"].decode()}


def test_outlines_are_boxes(tmp_path: Path) -> None:
    write(tmp_path, {NAME: OUTLINES})
    small = (500 / 640, 400 / 480, 532 / 640, 424 / 480)
    assert read(tmp_path) == ({"Edema": [TENTHS, small], "Lung Lesion": [TENTHS]}, [])
    assert read(tmp_path, parts="label")[0]["Edema"] == [(0.1, 0.1, 532 / 640, 424 / 480)]
    found = card("chexlocalize")
    assert found is not None
    assert found.restricted


@pytest.mark.parametrize("split", ["validate", "test"])
def test_run_length_codes_are_boxes(tmp_path: Path, split: str) -> None:
    codes = {"Edema": code([SQUARE, SMALL]), "Lung Lesion": code([SQUARE]), "Atelectasis": code([])}
    write(tmp_path, {NAME: codes}, "segmentations", {"validate": "val"}.get(split, split))
    found, left = read(tmp_path, split)
    # Pillow draws the pixels of the edges too: one more to the right and below.
    square, small = (0.1, 0.1, 321 / 640, 241 / 480), (500 / 640, 400 / 480, 533 / 640, 425 / 480)
    assert found == {"Edema": [square, small], "Lung Lesion": [square]}
    assert left == ["a finding that is not there"]
    x, y, width, height = coco.toBbox(codes["Edema"])
    [whole] = read(tmp_path, split, parts="label")[0]["Edema"]
    assert whole == pytest.approx((x / 640, y / 480, (x + width) / 640, (y + height) / 480))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "an object for each image"),
        ({NAME: {"Edema": [SQUARE]}}, "Edema: expected outlines and `img_size`"),
        ({NAME: {"img_size": [480, 640], "Edemas": [SQUARE]}}, "no finding of CheXlocalize"),
        ({NAME: {"img_size": [480, 640], "Edema": [[[1, 2]]]}}, "needs 3 points"),
        ({NAME: {"img_size": [640, 480], "Edema": [SQUARE]}}, "not as large"),
        ({"patient1_study1_view1_frontal": {}}, "no image of patient1"),
        ({"../x": {}}, "an image is called as in"),
        ({NAME: {"Edema": {"size": [480, 640], "counts": "1"}}}, "does not cover"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: Any, words: str) -> None:
    write(tmp_path, content)
    with pytest.raises(DataError, match=words):
        read(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gt_annotations_val\.json or"):
        read(tmp_path)
    with pytest.raises(DataError, match="no split 'train'"):
        read(tmp_path, "train")


def test_findings_that_are_not_there_may_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {NAME: {"Edema": code([SQUARE]), "Atelectasis": code([])}}, "segmentations")
    found, left = read(tmp_path, without="categories")
    assert len(found) == 10  # the findings of the release
    assert [finding for finding, boxes in found.items() if boxes] == ["Edema"]
    assert left == []
    found, left = read(tmp_path, without="images")
    assert (list(found), left) == (["Edema"], ["a finding that is not there"])
    write(tmp_path, {NAME: {"Atelectasis": code([])}}, "segmentations")
    found, left = read(tmp_path, without="images")
    assert (len(found), any(found.values()), left) == (10, False, [])
