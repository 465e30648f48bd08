"""Boxes and masks: YOLO, Pascal VOC, LabelMe, masks, CheXlocalize, COCO with outlines and codes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzz.pictures import niftis
from fuzz.target import Target, each
from pefomed.datasets import load_split
from pefomed.recipe import Dataset

WIDTH, HEIGHT = 12, 8
NUMBERS = (
    b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 400, b"[]", b"{}", b'""', b'"\\ud800"', b'"../a.png"',
    b"[1,2]", b"[[1,1,5,1,5,4]]", b'{"size":[8,12],"counts":[10,5,81]}', b'{"size":[9,9],"counts":"QQQ"}',
)  # fmt: skip
"""What a value of a JSON file becomes."""

_SQUARE = [[1, 1], [6, 1], [6, 4], [1, 4]]
_PACKED = {"size": [HEIGHT, WIDTH], "counts": "a0350000000d00\\O000"}
_COUNTS = {"size": [HEIGHT, WIDTH], "counts": [10, 3, 5, 3, 75]}
_LABELME = {
    "version": "5.4.1", "flags": {"left": True}, "imagePath": "a.png", "imageData": None,
    "imageHeight": HEIGHT, "imageWidth": WIDTH,
    "shapes": [
        {"label": "a", "points": points, "group_id": number, "shape_type": kind, "flags": {}, "mask": None}
        for number, (kind, points) in enumerate({
            "rectangle": [[1, 1], [6, 4]], "polygon": _SQUARE, "circle": [[5, 4], [7, 4]], "point": [[2, 2]],
            "linestrip": _SQUARE,
        }.items())
    ],
}  # fmt: skip
_VOC = """<?xml version="1.0"?><annotation><folder>a</folder><filename>a.png</filename>
<size><width>12</width><height>8</height><depth>1</depth></size><segmented>0</segmented>
<object><name>mass</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>6</xmax><ymax>5</ymax></bndbox></object>
<object><name>rib</name><bndbox><ymin>1.5</ymin><xmin>1</xmin><ymax>7</ymax><xmax>1e1</xmax></bndbox></object>
</annotation>"""
_YOLO = b"0 0.3 0.3 0.4 0.4\n1 0.1 0.1 0.6 0.1 0.6 0.5 0.1 0.5\n\n0 0.5 0.5 1e-1 .2\n"
_YAML = (
    b"path: .\ntrain: images/train\nval: images/val\nnc: 2\nnames:\n  0: mass\n  1: rib\n",
    b"train: ./images/train\nval: [images/val]\nnames: [mass, 'rib']\nkpt_shape: [2, 3]\n",
)
_XML = (b"<x>", b"&lt;", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"&x;", b"-1", b"NaN", b"1e999", b"<part>")


def _coco() -> Sequence[bytes]:
    drawn = ([[1, 1, 6, 1, 6, 4]], _COUNTS, _PACKED, None, [])
    annotations = [
        {"id": number, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 3], "area": 15, "iscrowd": 0,
         "segmentation": each, "reader": "a"}
        for number, each in enumerate(drawn)
    ]  # fmt: skip
    del annotations[0]["bbox"]
    image = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    about = {"images": [image], "categories": [{"id": 1, "name": "mass", "supercategory": "x"}]}
    return [json.dumps({**about, "annotations": some}).encode() for some in (annotations, annotations[:1])]


def _labelme() -> Sequence[bytes]:
    inside = io.BytesIO()
    Image.new("1", (3, 3), 1).save(inside, "PNG")
    import base64

    text = base64.b64encode(inside.getvalue()).decode()
    shape = {"label": "m", "points": [[1, 1], [3, 3]], "shape_type": "mask", "mask": text}
    return [json.dumps(_LABELME).encode(), json.dumps({**_LABELME, "shapes": [shape]}).encode()]


def _chexlocalize() -> Sequence[bytes]:
    name = "patient1_study1_view1_frontal"
    return [
        json.dumps({name: each}).encode()
        for each in (
            {"img_size": [HEIGHT, WIDTH], "Edema": [_SQUARE, _SQUARE[:3]]},
            {"Edema": _PACKED, "Atelectasis": {"size": [HEIGHT, WIDTH], "counts": "P3"}},
        )
    ]


def _masks() -> Sequence[bytes]:
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[1:4, 2:7], numbers[5:, 9:] = 1, 2
    palette = Image.fromarray(numbers, "P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    made = []
    for image in (Image.fromarray(numbers), Image.fromarray(numbers.astype(np.uint16) * 300), palette,
                  palette.convert("RGB"), palette.convert("1"), palette.convert("RGBA")):  # fmt: skip
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        made.append(buffer.getvalue())
    return made


def _load(loader: str, *choices: dict[str, Any], split: str = "train") -> Callable[[Path], None]:
    """Return a reader of a folder with each of `choices`; it fails if none of them is right."""
    datasets = [Dataset(loader=loader, root=".", options=options) for options in choices or ({},)]

    def read(folder: Path) -> None:
        each([str(number) for number in range(len(datasets))], lambda name: load_split(
            datasets[int(name.name)], split, folder
        ))(folder)  # fmt: skip

    return read


def _beside(files: dict[str, bytes | None], read: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return a reader of a folder in which `files` stand too; None is a picture."""
    buffer = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT)).save(buffer, "PNG")

    def read_all(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(buffer.getvalue() if content is None else content)
        read(folder)

    return read_all


_PICTURES: dict[str, bytes | None] = {"images/train/a.png": None, "images/val/b.png": None}

_ONE: dict[str, Any] = {"threshold": 4, "phrase": "lung"}

TARGETS = {
    "yolo_labels": Target(
        ("labels/train/a.txt",),
        _beside({**_PICTURES, "data.yaml": _YAML[0]}, _load("yolo", {}, {"without": "images"})),
        lambda: [_YOLO, b""], (b"nan", b"1e999", b"-0", b"9" * 50, b" 0.5 0.5", b"\xc2\xa0", b"0.0"),
    ),
    "yolo_yaml": Target(
        ("data.yaml",), _beside({**_PICTURES, "labels/train/a.txt": _YOLO[:18]}, _load("yolo")),
        lambda: _YAML, (b"&a", b"*a", b"<<:", b"!!python/name:os.system", b"../..", b"/etc", b"? [a]", b"~"),
    ),
    "voc": Target(
        ("Annotations/train/a.xml",),
        _beside({"JPEGImages/a.png": None}, _load("voc", {}, {"pixels": "from 0", "without": "images"})),
        lambda: [_VOC.encode()], _XML,
    ),
    "labelme": Target(
        ("train/a.json",), _beside({"train/a.png": None},
                _load("labelme", {"skip": ["wrong box"]}, {"without": "images"})),
        _labelme, NUMBERS,
    ),
    "chexlocalize": Target(
        ("CheXlocalize/gt_annotations_val.json",),
        _beside({"CheXpert/val/patient1/study1/view1_frontal.jpg": None},
                _load("chexlocalize", {}, {"parts": "label", "without": "images"}, split="validate")),
        _chexlocalize, NUMBERS,
    ),
    "coco_outlines": Target(
        ("train.json",), _beside({"a.png": None}, _load("coco", {}, {"without": "categories"})), _coco,
        NUMBERS,
    ),
    "masks": Target(
        ("masks/a.png",),
        _beside({"images/a.png": None},
                _load("masks", {"parts": "component", "labels": {"1": "a", "2": "b"}}, _ONE)),
        _masks,
    ),
    "mask_volumes": Target(
        ("images/a.nii", "masks/a.nii"), _load("masks", _ONE, {**_ONE, "slices": "all", "axis": 0}),
        lambda: [*niftis()[:3], niftis()[4]],
    ),
}  # fmt: skip
