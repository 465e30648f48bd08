"""Boxes are pixels of the stored matrix, on pictures whose pixels are not square and on turned photos too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.made_dicom import made

from pefomed.audit.boxes import box_counts, sentences
from pefomed.datasets import load_samples, load_split
from pefomed.errors import DataError
from pefomed.images.images import image_size, matrix_size
from pefomed.recipe import Dataset
from pefomed.schema import Sample

HEAD = "image,phrase,x,y,w,h,W,H\n"
SIDES: dict[str, Any] = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"}


def read(folder: Path, rows: str, **more: Any) -> list[Sample]:
    (folder / "t.csv").write_text(HEAD + rows)
    options = {"columns": {"question": "phrase"}, "boxes": {**SIDES, **more}}
    return load_samples(Dataset(loader="table", root="t.csv", options=options), "train", folder)


def corners(sample: Sample) -> tuple[float, ...]:
    [box] = sample.boxes
    return (box.x0, box.y0, box.x1, box.y1)


def test_of_dicom_the_whole_matrix_is_the_whole_picture(tmp_path: Path) -> None:
    # 0.545 high and 0.597 wide: 16 x 16 values are shown as 18 x 16.
    made(tmp_path / "a.dcm", np.zeros((16, 16), np.uint8), PixelSpacing=[0.545, 0.597])
    assert (image_size(tmp_path / "a.dcm"), matrix_size(tmp_path / "a.dcm")) == ((18, 16), (16, 16))
    whole, half = read(tmp_path, "a.dcm,all,0,0,16,16,,\na.dcm,half,8,4,8,4,,\n")
    assert corners(whole) == (0, 0, 1, 1)
    assert corners(half) == (0.5, 0.25, 1, 0.5)
    assert whole.size == (18, 16)  # what the model's frame is made of
    # A table that says either size counts in that one.
    sizes = {"width": "W", "height": "H"}
    for row, right in (("0,0,8,16,16,16", 0.5), ("0,0,9,16,18,16", 0.5)):
        assert corners(read(tmp_path, f"a.dcm,x,{row}\n", **sizes)[0])[2] == right
    with pytest.raises(DataError, match="not as large as the table says"):
        read(tmp_path, "a.dcm,x,0,0,9,16,17,16\n", **sizes)


def test_of_nifti_and_of_a_crop(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(np.zeros((10, 8, 3), np.uint8), np.diag([1.0, 2.0, 5.0, 1.0]))
    nibabel.save(image, tmp_path / "v.nii.gz")
    for view, (wide, high) in {"": (10, 8), "#axis=0": (8, 3), "#axis=1": (10, 3)}.items():
        [sample] = read(tmp_path, f"v.nii.gz{view},all,0,0,{wide},{high},,\n")
        assert corners(sample) == (0, 0, 1, 1)
    # The left half of the 10 x 8 matrix.
    [sample] = read(tmp_path, "v.nii.gz#crop=0:0:0.5:1,all,0,0,5,4,,\n")
    assert corners(sample) == (0, 0, 1, 0.5)


def test_a_coco_file_counts_in_the_matrix_too(tmp_path: Path) -> None:
    made(tmp_path / "a.dcm", np.zeros((16, 16), np.uint8), PixelSpacing=[0.545, 0.597])
    content = {
        "images": [{"id": 1, "file_name": "a.dcm", "width": 16, "height": 16}],
        "categories": [{"id": 1, "name": "mass"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 16, 16]}],
    }
    (tmp_path / "train.json").write_text(json.dumps(content))
    [sample] = load_samples(Dataset(loader="coco", root="."), "train", tmp_path)
    assert corners(sample) == (0, 0, 1, 1)


def test_a_photo_with_an_exif_turn(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right: 30 x 20 stored, 20 x 30 shown
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    [sample] = read(tmp_path, "a.jpg,x,0,0,20,15,,\n")
    assert corners(sample) == (0, 0, 1, 0.5)
    with pytest.raises(DataError, match=r"(?s)only fits the picture before its EXIF turn.*as it is shown"):
        read(tmp_path, "a.jpg,x,0,0,30,20,,\n")
    with pytest.raises(DataError, match="counts on the picture before its EXIF turn"):
        read(tmp_path, "a.jpg,x,0,0,10,10,30,20\n", width="W", height="H")
    counts = box_counts([sample])
    assert counts["turned"] == 1
    [sentence] = sentences({"boxes": {"train": counts}, "left_out": {}})
    assert "1 on a picture with an EXIF turn, taken as counted on the turned picture" in sentence


def test_boxes_that_nobody_drew(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    for width in ("1e-9", "0.05"):
        with pytest.raises(DataError, match=r"(?s)line 2.*narrower than a tenth of a pixel"):
            read(tmp_path, f"a.png,x,3,0,{width},15,,\n")
    with pytest.raises(DataError, match="narrower than a tenth of a pixel"):
        read(tmp_path, "a.png,x,0.1,0,0.001,0.5,,\n", unit="relative")
    assert read(tmp_path, "a.png,x,3,0,0.5,15,,\n")


def test_a_box_given_twice_counts_once_and_is_told(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text(HEAD + "a.png,x,3,0,6,15,,\n" * 2 + "a.png,x,9,0,6,15,,\n")
    options = {"columns": {"question": "phrase"}, "boxes": SIDES}
    dataset = Dataset(loader="table", root="t.csv", options=options)
    [sample], [left] = load_split(dataset, "train", tmp_path)
    assert len(sample.boxes) == 2
    assert (left.place.endswith("t.csv, line 3"), left.reason) == (True, "a box given twice")
    box = {"image_id": 1, "category_id": 1, "bbox": [3, 0, 6, 15]}
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "mass"}],
        "annotations": [{"id": 1, **box}, {"id": 2, **box}],
    }
    (tmp_path / "train.json").write_text(json.dumps(content))
    [sample], [left] = load_split(Dataset(loader="coco", root="."), "train", tmp_path)
    assert (len(sample.boxes), left.place.endswith("annotation 2")) == (1, True)
