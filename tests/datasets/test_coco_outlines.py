"""COCO annotations without `bbox`, without `category_id`, and fields inside of objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from pefomed.datasets import load_samples
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WIDTH, HEIGHT = 640, 480
TENTHS = (0.1, 0.1, 0.5, 0.5)  # 64 / 640, 48 / 480, 320 / 640, 240 / 480


def packed(mask: Any) -> dict[str, Any]:
    code = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": code["size"], "counts": code["counts"].decode()}


def square() -> Any:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[48:240, 64:320] = 1
    return mask


def read(folder: Path, *annotations: dict[str, Any], split: str = "train", **options: Any) -> list[Sample]:
    """Read a file of two images, whose annotations are those given."""
    image = options.pop("image", {})
    made = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT, **image} for n in range(2)
        ],
        "categories": [{"id": 1, "name": "mass"}],
        "annotations": [
            {"id": n, "image_id": 0, "category_id": 1, "iscrowd": 0} | each
            for n, each in enumerate(annotations)
        ],
    }
    for n in range(2):
        Image.new("L", (WIDTH, HEIGHT), n).save(folder / f"{n}.png")
    (folder / "train.json").write_text(json.dumps(made), encoding="utf-8")
    return load_samples(Dataset(loader="coco", root=".", options=options), split, folder)


def corners(sample: Sample) -> list[tuple[float, ...]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]


# 48 rows down in column 64: 64 * 480 + 48 pixels outside, then 256 runs of 192 with 288 outside between.
COUNTS = [64 * 480 + 48, *([192, 288] * 255), 192, 240 + 320 * 480]


@pytest.mark.parametrize(
    "segmentation",
    [
        [[64, 48, 320, 48, 320, 240]],
        [64, 48, 320, 48, 320, 240],  # without the list around it
        [[64, 48, 100, 48, 100, 240], [200, 100, 320, 100, 300.5, 150]],  # two parts of one thing
        packed(square()),
        {"size": [HEIGHT, WIDTH], "counts": COUNTS},
    ],
)
@pytest.mark.parametrize("bbox", [{}, {"bbox": []}, {"bbox": None}])
def test_the_box_around_a_segmentation(tmp_path: Path, segmentation: Any, bbox: dict[str, Any]) -> None:
    [sample] = read(tmp_path, {"segmentation": segmentation, **bbox})
    assert corners(sample) == [TENTHS]
    assert (sample.question, sample.size) == ("mass", (WIDTH, HEIGHT))
    # Whatever the annotations' own boxes are written in.
    [sample] = read(tmp_path, {"segmentation": segmentation}, form="cxcywh", unit="relative")
    assert corners(sample) == [TENTHS]


def test_boxes_of_polygons_are_those_of_pycocotools_to_a_pixel(tmp_path: Path) -> None:
    # Twelve corners of ellipses: of a spike's tip no pixel is inside.
    random = np.random.default_rng(7)
    centres, radii = random.uniform(120, (520, 360), (20, 2)), random.uniform(10, 110, (20, 2))
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    polygons = [
        (centre + radius * circle).round(2).flatten().tolist()
        for centre, radius in zip(centres, radii, strict=True)
    ]
    [sample] = read(tmp_path, *({"segmentation": [polygon]} for polygon in polygons))
    for polygon, found in zip(polygons, corners(sample), strict=True):
        x, y, width, height = coco.toBbox(coco.frPyObjects([polygon], HEIGHT, WIDTH))[0]
        pixels = np.array(found) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        assert np.abs(pixels - (x, y, x + width, y + height)).max() <= 1


def test_a_box_of_its_own_is_taken_as_it_is(tmp_path: Path) -> None:
    [sample] = read(tmp_path, {"bbox": [64, 48, 256, 192], "segmentation": [[1, 1, 9, 1, 9, 9]]})
    assert corners(sample) == [TENTHS]


def test_a_code_says_the_size_where_the_file_does_not(tmp_path: Path) -> None:
    code = packed(square())
    [sample] = read(tmp_path, {"segmentation": code}, image={"width": None, "height": None})
    assert corners(sample) == [TENTHS]
    small = packed(square()[::2, ::2])
    with pytest.raises(DataError, match=r"annotation 0, image .*: the image is not as large"):
        read(tmp_path, {"segmentation": small}, image={"width": None, "height": None})
    [sample] = read(
        tmp_path, {"segmentation": small}, image={"width": None, "height": None}, scaled_images=True
    )
    assert corners(sample) == [TENTHS]


def test_fields_inside_objects_are_named_by_their_path(tmp_path: Path) -> None:
    image = {"metadata": {"patient": "p7", "split": "test", "age": 61}}
    options: dict[str, Any] = {"split_field": "metadata.split", "annotations": "train.json", "image": image}
    [sample] = read(tmp_path, {"bbox": [64, 48, 256, 192]}, split="test", meta=["metadata.age"], **options)
    assert sample.owners == {"metadata.patient": "p7"}
    assert sample.meta["metadata.age"] == "61"
    named = {"split_field": "metadata.split", "annotations": "train.json"}
    assert found_splits(Dataset(loader="coco", root=".", options=named), tmp_path) == {"test": 1}
    exact = {"metadata.split": "test", "metadata": {"split": "train"}}
    assert read(tmp_path, {"bbox": [64, 48, 256, 192], **exact}, split="test", **options)
    with pytest.raises(DataError, match=r"no field 'metadata\.fold'"):
        read(tmp_path, {"bbox": [1, 1, 5, 5]}, annotations="train.json", split_field="metadata.fold")


def test_the_phrase_stands_for_a_category_that_is_not_there(tmp_path: Path) -> None:
    [sample] = read(
        tmp_path, {"bbox": [64, 48, 256, 192], "category_id": None, "text": "a mass"}, phrase="text"
    )
    assert (sample.question, sample.meta["category"]) == ("a mass", "a mass")


def test_annotations_without_an_id_are_named_by_their_entry(tmp_path: Path) -> None:
    made = {
        "images": [{"id": 0, "file_name": "0.png"}],
        "annotations": [
            {"image_id": 0, "text": "mass", "bbox": [64, 48, 256, 192]},
            {"image_id": 0, "text": "x"},
        ],
    }
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "0.png")
    (tmp_path / "train.json").write_text(json.dumps(made), encoding="utf-8")
    with pytest.raises(DataError, match="annotation of entry 2: a box needs four"):
        load_samples(Dataset(loader="coco", root=".", options={"phrase": "text"}), "train", tmp_path)


def test_keypoints_are_not_read_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(tmp_path, {"bbox": [64, 48, 256, 192], "keypoints": [70, 60, 2], "num_keypoints": 1})
    assert "train.json: keypoints are not read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"segmentation": [[64, 48, 320, 48, 320]]}, "even number"),
        ({"segmentation": [[64, 48, 320, 48]]}, "needs 3 points"),
        ({"segmentation": [[]]}, "needs 3 points"),
        ({"segmentation": [[64, 48, 320, 48, 320, None]]}, "needs 3 points"),
        ({"segmentation": [[64, 48, 320, 48, 320, "240"]]}, "needs 3 points"),
        ({"segmentation": [[64, 48, 700, 48, 320, 240]]}, "stands out of its image"),
        ({"segmentation": "64 48"}, "list of polygons, or a run-length code"),
        ({"segmentation": {"size": [HEIGHT, WIDTH]}}, "list of polygons, or a run-length code"),
        ({"segmentation": {"size": [WIDTH, HEIGHT], "counts": COUNTS}}, "not as large as its image"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": COUNTS[:-1]}}, "does not cover"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}}, "a mask without a pixel"),
        ({"segmentation": []}, "four finite numbers"),
        ({"bbox": [64, 48, 256, 192], "category_id": None}, "no category"),
        ({"bbox": [64, 48, 256, 192], "category_id": [1]}, "a category id is a number or a text"),
    ],
)
def test_what_is_wrong_is_named_with_its_annotation(
    tmp_path: Path, annotation: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=f"(?s)annotation 1.*{words}"):
        read(tmp_path, {"bbox": [64, 48, 256, 192]}, annotation)
