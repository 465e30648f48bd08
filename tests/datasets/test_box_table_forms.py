"""Published tables of boxes, each read by a mapping: what stands in them becomes the same box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_samples
from pefomed.recipe import Dataset

SIDES = {"form": "xywh", "unit": "pixel"}
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "nih.csv": (
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n0.png,mass,64.0,48,256,192\n",
        {"images": "images", "columns": {"image": "Image Index", "question": "Finding Label"},
         "boxes": {"columns": ["Bbox [x", "y", "w", "h]"], **SIDES}},
    ),
    "rsna.csv": (
        "patientId,x,y,width,height,Target\n0,64,48,256,192,1\n1,,,,,0\n",
        {"columns": {"image": "images/{patientId}.png", "question": {"constant": "mass"}},
         "boxes": {"columns": ["x", "y", "width", "height"], **SIDES},
         "skip": [{"column": "Target", "is": 0}]},
    ),
    "vindr.csv": (
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n0,mass,9,R1,64,48,320,240\n"
        "1,No finding,14,R1,,,,\n",
        {"columns": {"image": "images/{image_id}.png", "question": "class_name"}, "skip": "no box",
         "boxes": {"columns": ["x_min", "y_min", "x_max", "y_max"], "form": "xyxy", "unit": "pixel",
                   "reader": "rad_id", "readers": "apart"}},
    ),
    "hub.jsonl": (
        '{"file_name": "0.png", "objects": {"bbox": [[64, 48, 256, 192]], "category": ["mass"]}}\n',
        {"images": "images", "columns": {"image": "file_name", "question": "objects.category"},
         "boxes": {"columns": ["objects.bbox"], **SIDES}},
    ),
    "percent.csv": (
        "image,question,x,y,w,h\n0.png,mass,10,10,40,40\n",
        {"images": "images", "boxes": {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "percent"}},
    ),
    "thousand.jsonl": (
        '{"image": "0.png", "question": "mass", "box_2d": [[100, 100, 500, 500]]}\n',
        {"images": "images", "boxes": {"columns": ["box_2d"], "form": "yxyx", "unit": "thousand"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_the_box_of_the_first_picture(tmp_path: Path, name: str) -> None:
    (tmp_path / "images").mkdir()
    for number in range(2):
        Image.new("L", (640, 480), number).save(tmp_path / f"images/{number}.png")
    text, options = FORMS[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    [sample] = load_samples(Dataset(loader="table", root=name, options=options), "train", tmp_path)
    assert (sample.question, Path(sample.images[0]).name, sample.size) == ("mass", "0.png", (640, 480))
    # 64 / 640, 48 / 480, 320 / 640, 240 / 480.
    assert [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes] == [(0.1, 0.1, 0.5, 0.5)]
