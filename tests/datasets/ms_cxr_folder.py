"""A folder of MS-CXR as published, made by hand: both versions, as CSV and as COCO JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COLUMNS = (
    "category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height", "dicom_id",
)  # fmt: skip
SIZE = (120, 160)
"""Width and height of every image."""

PATIENTS = ("p10000032", "p10000764", "p10001217")

Row = dict[str, Any]


def image_path(patient: int, dicom: str) -> str:
    """Return the path of an image as MS-CXR writes it."""
    name = PATIENTS[patient]
    return f"files/{name[:3]}/{name}/s5041426{patient}/{dicom}.jpg"


def row(patient: int, dicom: str, category: str, phrase: str, box: tuple[Any, ...], split: str) -> Row:
    """Return one row of the CSV of version 1.1.0."""
    values = (category, phrase, image_path(patient, dicom), *box, *SIZE, dicom)
    return {**dict(zip(COLUMNS, values, strict=True)), "split": split}


def rows() -> list[Row]:
    """Return seven boxes of five phrases in four images of three patients."""
    return [
        row(0, "02aa804e", "Pneumonia", "left basilar opacity", (60, 80, 30, 40), "train"),
        row(0, "02aa804e", "Cardiomegaly", "the heart is enlarged", (30, 70, 60, 50), "train"),
        row(0, "174413ec", "Edema", "bilateral interstitial edema", (10, 40, 40, 80), "train"),
        row(1, "68b5c4b1", "Pleural Effusion", "small pleural effusions", (6, 120, 24, 16), "val"),
        # The rows of a phrase need not stand together.
        row(0, "174413ec", "Edema", "bilateral interstitial edema", (70, 40, 40, 80), "train"),
        row(1, "68b5c4b1", "Pleural Effusion", "small pleural effusions", (90, 120, 24, 16), "val"),
        row(2, "dea9e9b4", "Cardiomegaly", "moderate cardiomegaly", (24, 64, 72, 60), "test"),
    ]


def make(folder: Path, version: str = "1.1.0", file: str = "csv", given: list[Row] | None = None) -> Path:
    """Write a release and its images into `folder`; return the path of the file."""
    chosen = [dict(each) for each in given or rows()]
    if version == "1.0.0":
        for each in chosen:
            del each["split"]
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(dict.fromkeys(each["path"] for each in chosen)):
        _draw(folder / path, number)
    path = folder / f"MS_CXR_Local_Alignment_v{version}.{file}"
    if file == "json":
        path.write_text(json.dumps(_coco(chosen)), encoding="utf-8")
        return path
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return path


def _draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0]), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def _coco(given: list[Row]) -> dict[str, Any]:
    paths = list(dict.fromkeys(each["path"] for each in given))
    categories = list(dict.fromkeys(each["category_name"] for each in given))
    images = {each["path"]: each for each in given}
    return {
        "info": {"description": "made by hand"},
        "images": [
            {"id": number, "file_name": Path(path).name, "path": path,
             "width": images[path]["image_width"], "height": images[path]["image_height"]}
            for number, path in enumerate(paths, 1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(categories, 1)],
        "annotations": [
            {"id": number, "image_id": paths.index(each["path"]) + 1,
             "category_id": categories.index(each["category_name"]) + 1,
             "bbox": [each[key] for key in "xywh"], "label_text": each["label_text"],
             **({"split": each["split"]} if "split" in each else {})}
            for number, each in enumerate(given, 1)
        ],
    }  # fmt: skip
