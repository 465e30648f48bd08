"""Several readers of one finding: never one answer in silence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.annotations.box_readers import fuse_boxes, seems_reader
from pefomed.datasets import load_samples
from pefomed.errors import DataError, RecipeError
from pefomed.evaluation.reader_agreement import others_boxes
from pefomed.metrics.phrase_items import items_of
from pefomed.recipe import Dataset
from pefomed.schema import Box, Sample

# The form of VinDr's file; picture b has one reader.
ROWS = """\
image,class_name,rad_id,x_min,y_min,x_max,y_max
a.png,Mass,R1,10,10,50,50
a.png,Mass,R2,20,10,60,50
b.png,Mass,R2,0,0,50,50
"""
COLUMNS = ["x_min", "y_min", "x_max", "y_max"]


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.new("L", (100, 100)).save(tmp_path / f"{name}.png")


def read(folder: Path, **boxes: Any) -> list[Sample]:
    (folder / "t.csv").write_text(ROWS)
    spec = {"columns": COLUMNS, "form": "xyxy", "unit": "pixel", **boxes}
    options = {"columns": {"question": "class_name"}, "boxes": spec}
    return load_samples(Dataset(loader="table", root="t.csv", options=options), "train", folder)


def read_coco(folder: Path, **options: Any) -> list[Sample]:
    boxes = [(1, "R1", [10, 10, 40, 40]), (1, "R2", [20, 10, 40, 40]), (2, "R2", [0, 0, 50, 50])]
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "categories": [{"id": 1, "name": "Mass"}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": 1, "rad_id": reader, "bbox": box}
            for number, (image, reader, box) in enumerate(boxes)
        ],
    }
    (folder / "train.json").write_text(json.dumps(content))
    return load_samples(Dataset(loader="coco", root=".", options=options), "train", folder)


def lefts(sample: Sample) -> list[float]:
    return [box.x0 for box in sample.boxes]


def test_several_readers_are_refused_until_somebody_says_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)line 2: the boxes of several readers.*'rad_id': R1, R2.*apart"):
        read(tmp_path)
    with pytest.raises(DataError, match=r"(?s)annotation 0: the boxes of several readers.*'rad_id': R1, R2"):
        read_coco(tmp_path)
    with pytest.raises(RecipeError, match="`reader` needs `readers`"):
        read(tmp_path, reader="rad_id")
    assert lefts(read(tmp_path, reader="")[0]) == [0.1, 0.2]
    assert lefts(read_coco(tmp_path, reader="")[0]) == [0.1, 0.2]


def test_each_apart_and_their_agreement(tmp_path: Path) -> None:
    chosen = {"reader": "rad_id", "readers": "apart"}
    for samples in (read(tmp_path, **chosen), read_coco(tmp_path, **chosen)):
        assert [(lefts(s), s.meta["reader"], s.meta["boxes"]) for s in samples] == [
            ([0.1], "R1", "1"), ([0.2], "R2", "1"), ([0.0], "R2", "1")
        ]  # fmt: skip
        assert len({sample.id for sample in samples}) == 3
        # The finding of b has one reader: nobody to compare with.
        others = others_boxes(items_of(samples), samples)
        assert {place: [box.x0 for box in boxes] for place, boxes in others.items()} == {0: [0.2], 1: [0.1]}


def test_fused_as_the_library_does_it(tmp_path: Path) -> None:
    pytest.importorskip("ensemble_boxes", reason="the extra `fusion` is not installed")
    chosen = {"reader": "rad_id", "readers": "fused"}
    for samples in (read(tmp_path, **chosen), read_coco(tmp_path, **chosen)):
        # Boxes of equal weight whose IoU is 30/50: the mean of their edges. Of one reader: as it is.
        found = [[round(edge, 6) for edge in (b.x0, b.y0, b.x1, b.y1)] for s in samples for b in s.boxes]
        assert found == [[0.15, 0.1, 0.55, 0.5], [0, 0, 0.5, 0.5]]
    # Above that IoU they stay two.
    assert len(read(tmp_path, **chosen, fusion_iou=0.7)[0].boxes) == 2
    assert fuse_boxes([]) == ()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensemble_boxes", None)
    with pytest.raises(DataError, match=r"(?s)needs ensemble-boxes.*pefomed\[fusion\]"):
        fuse_boxes([("R1", Box(x0=0, y0=0, x1=1, y1=1))])


def test_names_of_readers() -> None:
    for name in ("rad_id", "reader", "Radiologist ID", "annotator", "readerNo"):
        assert seems_reader(name)
    assert not any(map(seems_reader, ("radius", "grade", "ward", "image_id")))
