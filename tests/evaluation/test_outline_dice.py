"""Dice of answered boxes with outlines, whichever file of boxes holds them, derived by hand.

The picture has 8 x 8 pixels; the mass is an L of 12: columns 1 and 2 of rows 1 to 5, column 3 of rows 4 and
5. Its box is 3 x 5 = 15 pixels: 2 * 12 / (12 + 15) = 8 / 9. The whole picture: 24 / (12 + 64) = 6 / 19.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from pefomed import recipe
from pefomed.annotations.sample_masks import read_mask
from pefomed.boxes import Resizing
from pefomed.datasets import load_samples
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.files import jsonl
from pefomed.prompts import target
from pefomed.recipe import Dataset
from pefomed.samples.sample_hash import sample_hash
from pefomed.schema import Box, Prediction, Sample

SHAPE = np.zeros((8, 8), bool)
SHAPE[1:6, 1:3] = True
SHAPE[4:6, 3] = True
L_CORNERS = [1, 1, 3, 1, 3, 4, 4, 4, 4, 6, 1, 6]
POINTS = [list(point) for point in zip(L_CORNERS[::2], L_CORNERS[1::2], strict=True)]
OWN, WHOLE = 8 / 9, 6 / 19

Options = dict[str, Any]


def picture(path: Path, value: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path)


def coco_file(root: Path, segmentation: Any, **more: Any) -> Options:
    made = {
        "images": [{"id": 1, "file_name": "0.png", "width": 8, "height": 8}],
        "categories": [{"id": 1, "name": "mass"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation, "bbox": [1, 1, 3, 5]}
            | more
        ],
    }
    picture(root / "0.png")
    (root / "test.json").write_text(json.dumps(made))
    return {"loader": "coco"}


def packed(mask: Any = SHAPE) -> dict[str, Any]:
    code = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": code["size"], "counts": code["counts"].decode()}


# Down the columns: 9 pixels outside, 5 inside; 3, 5; 6, 2; 2 + 4 * 8 outside.
COUNTS = [9, 5, 3, 5, 6, 2, 34]


def labelme_file(root: Path, *shapes: dict[str, Any]) -> Options:
    picture(root / "test" / "0.png")
    made = {"imagePath": "0.png", "imageWidth": 8, "imageHeight": 8, "imageData": None}
    made["shapes"] = [{"label": "mass", **shape} for shape in shapes]
    (root / "test" / "0.json").write_text(json.dumps(made))
    return {"loader": "labelme"}


def labelme_mask(root: Path) -> Options:
    opened = io.BytesIO()
    Image.fromarray(SHAPE[1:6, 1:4]).save(opened, format="PNG")
    text = base64.b64encode(opened.getvalue()).decode()
    return labelme_file(root, {"shape_type": "mask", "points": [[1, 1], [3, 5]], "mask": text})


def chexlocalize(root: Path, kind: str) -> Options:
    name = "patient64741_study1_view1_frontal"
    picture(root / "CheXpert" / "test" / "patient64741" / "study1" / "view1_frontal.jpg")
    drawn = {"img_size": [8, 8], "Edema": [POINTS]} if kind == "annotations" else {"Edema": packed()}
    (root / "CheXlocalize").mkdir()
    (root / "CheXlocalize" / f"gt_{kind}_test.json").write_text(json.dumps({name: drawn}))
    return {"loader": "chexlocalize"}


def yolo(root: Path) -> Options:
    picture(root / "images" / "test" / "0.png")
    (root / "labels" / "test").mkdir(parents=True)
    line = " ".join(str(number / 8) for number in L_CORNERS)
    (root / "labels" / "test" / "0.txt").write_text(f"0 {line}\n")
    (root / "data.yaml").write_text("names: [mass]\ntest: images/test\n")
    return {"loader": "yolo"}


FORMS: dict[str, Callable[[Path], Options]] = {
    "polygon": lambda root: coco_file(root, [L_CORNERS]),
    "two polygons": lambda root: coco_file(
        root, [[1, 1, 3, 1, 3, 6, 1, 6], [2.5, 4, 4, 4, 4, 6, 2.5, 6]]
    ),
    "no bbox": lambda root: coco_file(root, [L_CORNERS], bbox=None),
    "compressed": lambda root: coco_file(root, packed()),
    "counts": lambda root: coco_file(root, {"size": [8, 8], "counts": COUNTS}, iscrowd=1),
    "labelme polygon": lambda root: labelme_file(root, {"shape_type": "polygon", "points": POINTS}),
    "labelme mask": labelme_mask,
    "chexlocalize outlines": lambda root: chexlocalize(root, "annotations"),
    "chexlocalize codes": lambda root: chexlocalize(root, "segmentations"),
    "yolo polygon": yolo,
}  # fmt: skip


def read(root: Path, made: Options) -> list[Sample]:
    return load_samples(Dataset(root=".", **made), "test", root)


@pytest.mark.parametrize("form", FORMS)
def test_the_outline_of_each_form_is_kept(tmp_path: Path, form: str) -> None:
    [sample] = read(tmp_path, FORMS[form](tmp_path))
    [mask] = sample.masks
    assert (read_mask(mask) == SHAPE).all()
    assert Sample.model_validate_json(sample.model_dump_json()).masks == sample.masks
    [box] = sample.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == (1 / 8, 1 / 8, 4 / 8, 6 / 8)


def test_ids_hashes_and_lines_are_those_of_a_sample_without_an_outline(tmp_path: Path) -> None:
    [drawn] = read(tmp_path, coco_file(tmp_path, [L_CORNERS]))
    [plain] = read(tmp_path, coco_file(tmp_path, []))
    assert plain.masks == ()
    assert "masks" not in plain.model_dump()
    assert sample_hash(drawn) == sample_hash(plain)
    assert drawn.model_copy(update={"masks": ()}) == plain


def test_a_circle(tmp_path: Path) -> None:
    [sample] = read(tmp_path, labelme_file(tmp_path, {"shape_type": "circle", "points": [[4, 4], [4, 5.6]]}))
    # The centres at 0.5, 1.5 away in either direction: 0.71 and 1.58 are within 1.6, 2.12 is not.
    assert read_mask(sample.masks[0]).sum() == 12


def test_a_rectangle_beside_an_outline_leaves_the_phrase_without(tmp_path: Path) -> None:
    shapes = (
        {"shape_type": "polygon", "points": POINTS},
        {"shape_type": "rectangle", "points": [[5, 5], [8, 8]]},
    )
    [sample] = read(tmp_path, labelme_file(tmp_path, *shapes))
    assert len(sample.boxes) == 2
    assert sample.masks == ()


@pytest.mark.parametrize(
    "segmentation", [[[1, 1, 3]], [[1, 1, 2, 2]], {"size": [4, 4], "counts": [16]}, "mass", [["a", 1] * 3]]
)
def test_an_outline_that_cannot_be_read_leaves_the_box(
    tmp_path: Path, segmentation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    [sample] = read(tmp_path, coco_file(tmp_path, segmentation))
    assert sample.masks == ()
    assert "1 outlines cannot be read" in capsys.readouterr().err


def made_run(folder: Path, data: Path, made: Options, answers: list[tuple[Box, ...]]) -> Path:
    settings = recipe.parse(
        {
            "name": "run",
            "model": {"vision_encoder": "v", "language_model": "l"},
            "data": {"boxes": {"root": ".", **made}},
            "stages": [{"name": "one", "data": {"boxes": 1.0}, "epochs": 1, "lr": 1e-4, "lr_end": 0.0}],
            "predict": {"data": {"boxes": "test"}, "blind": False},
            "evaluate": {"floors": False},
        }
    )
    (data / "train.json").write_bytes((data / "test.json").read_bytes())
    folder.mkdir()
    (folder / "recipe.toml").write_text(recipe.dumps(settings))
    samples = load_samples(settings.data["boxes"], "test", data)
    jsonl.append(folder / "samples" / "boxes-test.jsonl", samples)
    resizing = Resizing(settings.model.resize, settings.model.image_size)
    texts = [
        target(sample.model_copy(update={"boxes": boxes}), settings.prompt, resizing)
        for sample, boxes in zip(samples, answers, strict=True)
    ]
    jsonl.append(
        folder / "predictions" / "boxes-test.jsonl",
        [
            Prediction(sample_id=s.id, text=text, tokens=1, finish="stop", generation="greedy")
            for s, text in zip(samples, texts, strict=True)
        ],
    )
    return folder


WHOLE_BOX = Box(x0=0, y0=0, x1=1, y1=1)
OWN_BOX = Box(x0=1 / 8, y0=1 / 8, x1=4 / 8, y1=6 / 8)


def test_a_run_and_the_difference_of_two(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    made = coco_file(data, [L_CORNERS])
    first = made_run(tmp_path / "a", data, made, [(WHOLE_BOX,)])
    second = made_run(tmp_path / "b", data, made, [(OWN_BOX,)])
    scores = {s.system: s.value for s in evaluate_run(second, data) if s.metric == "mask_dice"}
    assert scores["model"] == scores["ceiling:boxes"] == pytest.approx(OWN)
    [found] = [each for each in compare_runs(first, second) if each.metric == "mask_dice"]
    assert (found.a, found.b, found.n) == (pytest.approx(WHOLE), pytest.approx(OWN), 1)
    assert found.difference == pytest.approx(OWN - WHOLE)
    # Samples that were written before outlines were kept are held against those of the other run.
    path = first / "samples" / "boxes-test.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({k: v for k, v in row.items() if k != "masks"}) + "\n" for row in rows)
    )
    [again] = [each for each in compare_runs(first, second) if each.metric == "mask_dice"]
    assert again.difference == found.difference


def test_readers_are_held_against_the_outline_of_the_other(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    coco_file(data, [L_CORNERS])
    content = json.loads((data / "test.json").read_text())
    [first] = content["annotations"]
    square = [0, 0, 8, 0, 8, 8, 0, 8]
    second = first | {"id": 2, "rad": "B", "segmentation": [square], "bbox": [0, 0, 8, 8]}
    content["annotations"] = [first | {"rad": "A"}, second]
    (data / "test.json").write_text(json.dumps(content))
    made = {"loader": "coco", "options": {"reader": "rad", "readers": "apart"}}
    run = made_run(tmp_path / "run", data, made, [(OWN_BOX,), (WHOLE_BOX,)])
    scores = {s.system: s.value for s in evaluate_run(run, data) if s.metric == "mask_dice"}
    # B's box, all 64, with A's outline: 24 / 76. A's box, 15 pixels, with B's 64: 30 / 79.
    assert scores["ceiling:readers"] == pytest.approx((24 / 76 + 30 / 79) / 2)
