from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

TENTHS = (0.1, 0.1, 0.5, 0.5)  # 64, 48, 320, 240 of 640 x 480
RECTANGLE = {"label": "mass", "shape_type": "rectangle", "points": [[64, 48], [320, 240]]}


def file(*shapes: dict[str, Any], image: str = "0.png", **more: Any) -> dict[str, Any]:
    about = {"imagePath": image, "imageWidth": 640, "imageHeight": 480, "imageData": None, "flags": {}}
    return {"version": "5.4.1", **about, "shapes": list(shapes), **more}


def put(folder: Path, files: dict[str, Any]) -> None:
    """Write values as JSON, and 640 x 480 images where there is None."""
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if value is None:
            Image.new("L", (640, 480), len(name)).save(path)
        else:
            path.write_text(json.dumps(value), encoding="utf-8")


def read(
    folder: Path, split: str = "train", root: str = "mine", **options: Any
) -> tuple[list[Sample], list[str]]:
    samples, left = load_split(Dataset(loader="labelme", root=root, options=options), split, folder)
    return samples, [each.reason for each in left]


def corners(sample: Sample) -> list[tuple[float, ...]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]


def png(mask: Any) -> str:
    written = io.BytesIO()
    Image.fromarray(mask).save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def drop() -> dict[str, Any]:
    """A mask shape whose PNG is 258 x 194 pixels with an empty edge of one pixel."""
    inside = np.zeros((194, 258), np.uint8)
    inside[1:-1, 1:-1] = 255
    return {"shape_type": "mask", "points": [[63, 47], [320, 240]], "mask": png(inside)}


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"points": [[320, 48], [64, 240]]},  # the other two corners
        {"points": [[64, 48], [320, 48], [320, 240], [64, 240]]},
        {"shape_type": "polygon", "points": [[64, 48], [320, 48], [320, 240]]},
        {"shape_type": None, "points": [[64, 48], [320, 48], [320, 240]]},
        drop(),
    ],
)
def test_the_box_around_a_shape(tmp_path: Path, shape: dict[str, Any]) -> None:
    put(tmp_path, {"mine/0.json": file({**RECTANGLE, **shape}), "mine/0.png": None})
    [sample], left = read(tmp_path)
    assert corners(sample) == [TENTHS]
    assert (sample.question, sample.meta, left) == ("mass", {"category": "mass", "boxes": "1"}, [])


@pytest.mark.parametrize(
    ("centre", "on", "box"),
    [
        ((192, 144), (192, 240), (96 / 640, 48 / 480, 288 / 640, 240 / 480)),  # a radius of 96
        ((192, 144), (192 + 57.6, 144 + 76.8), (96 / 640, 48 / 480, 288 / 640, 240 / 480)),  # of 3, 4, 5
        ((0, 0), (0, 48), (0, 0, 48 / 640, 48 / 480)),  # three quarters are out of the image
    ],
)
def test_a_circle_has_a_centre_and_a_radius(tmp_path: Path, centre: Any, on: Any, box: Any) -> None:
    circle = {"label": "nodule", "shape_type": "circle", "points": [centre, on]}
    put(tmp_path, {"mine/0.json": file(circle), "mine/0.png": None})
    [sample], _ = read(tmp_path)
    assert corners(sample) == [pytest.approx(box)]


def test_lines_and_points_are_counted_and_labels_joined(tmp_path: Path) -> None:
    line = {"label": "rib", "shape_type": "linestrip", "points": [[1, 1], [9, 9], [20, 9]]}
    rib = {
        "label": "rib",
        "shape_type": "polygon",
        "points": [[0, 0], [64, 0], [64, 48]],
        "flags": {"old": True},
    }
    put(tmp_path, {"mine/0.json": file(RECTANGLE, line, rib, RECTANGLE), "mine/0.png": None})
    put(tmp_path, {"mine/1.json": file(image="1.png"), "mine/1.png": None})
    (mass, ribs), left = read(tmp_path)
    assert corners(mass) == [TENTHS]
    assert corners(ribs) == [(0, 0, 0.1, 0.1)]
    assert sorted(left) == [
        "a box given twice",
        "a shape of the type 'linestrip', which has no box",
        "an image without annotations",
    ]
    assert read(tmp_path, meta=["version"])[0][0].meta["version"] == "5.4.1"
    with pytest.raises(DataError, match=r"shape 1: no field 'flags\.old'"):
        read(tmp_path, meta=["flags.old"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("../images/0.png", {}),
        ("..\\images\\0.png", {}),
        ("0.png", {"images": "images"}),
        ("../../elsewhere/0.png", {"images": "images"}),
        ("C:\\Users\\else\\0.png", {"images": "images"}),
        ("/home/else/0.png", {"images": "images"}),
        ("/home/else/0.png", {}),
        ("", {}),
    ],
)
def test_paths_to_the_image_stay_in_the_root(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    put(tmp_path, {"mine/annotations/0.json": file(RECTANGLE, image=name), "mine/images/0.png": None})
    [sample], _ = read(tmp_path, **options)
    assert Path(sample.images[0]).resolve() == tmp_path / "mine/images/0.png"
    put(
        tmp_path,
        {"secret/0.png": None, "mine/annotations/0.json": file(RECTANGLE, image="../../secret/0.png")},
    )
    (tmp_path / "mine/images/0.png").unlink()
    with pytest.raises(DataError, match=r"no image '\.\./\.\./secret/0\.png'"):
        read(tmp_path)


def test_splits_are_folders(tmp_path: Path) -> None:
    put(tmp_path, {"mine/train/0.json": file(RECTANGLE), "mine/train/0.png": None})
    put(tmp_path, {"mine/dev/1.json": file(RECTANGLE, image="1.png"), "mine/dev/1.png": None})
    assert found_splits(Dataset(loader="labelme", root="mine"), tmp_path) == {"dev": None, "train": None}
    [sample], _ = read(tmp_path, "validate")
    assert sample.images[0].endswith("dev/1.png")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (file({**RECTANGLE, "points": [[64, 48]]}), "shape 1: an outline needs 2 points"),
        (file({**RECTANGLE, "points": [[64, 48], [320, None]]}), "needs 2 points"),
        (file({**RECTANGLE, "points": [[64, 48], [64, 240]]}), "no area"),
        (file({**RECTANGLE, "points": [[64, 48], [700, 240]]}), "stands out"),
        (file({**RECTANGLE, "points": [[64, 48], [320, 60], [310, 240], [60, 230]]}), "not upright"),
        (file({**RECTANGLE, "shape_type": "polygon"}), "needs 3 points"),
        (file({**RECTANGLE, "shape_type": "circle", "points": [[64, 48]]}), "a circle needs"),
        (file({**RECTANGLE, "shape_type": "circle", "points": [[-64, 48], [9, 9]]}), "centre of a circle"),
        (file({**RECTANGLE, "shape_type": "rotation"}), "a shape of the type 'rotation'.*rectangle"),
        (file({**RECTANGLE, "shape_type": "mask"}), "no PNG in base64"),
        (file({**RECTANGLE, "shape_type": "mask", "mask": "AAAA"}), "no PNG in base64"),
        (
            file({**RECTANGLE, "shape_type": "mask", "mask": png(np.zeros((5, 5), np.uint8))}),
            "without a pixel",
        ),
        (file({**RECTANGLE, "label": ""}), "the phrase is empty"),
        (file(RECTANGLE, imageHeight=400), "not as large"),
        (file(RECTANGLE, image="7.png"), "no image '7.png'"),
        (file(RECTANGLE, imagePath=7), "`imagePath` is a text"),
        ({"images": [], "annotations": []}, "no LabelMe file.*annotations, images"),
        ([], "no LabelMe file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, made: Any, words: str) -> None:
    put(tmp_path, {"mine/0.json": made, "mine/0.png": None})
    with pytest.raises(DataError, match=rf"(?s)0\.json.*{words}"):
        read(tmp_path)


def test_what_nobody_drew_may_be_asked_for(tmp_path: Path) -> None:
    point = {"label": "clip", "shape_type": "point", "points": [[9, 9]]}
    put(
        tmp_path,
        {
            "mine/0.json": file(RECTANGLE), "mine/0.png": None,
            "mine/1.json": file(image="1.png"), "mine/1.png": None,
            "mine/2.json": file(point, image="2.png"), "mine/2.png": None,
        },
    )  # fmt: skip
    drawn, left = read(tmp_path)
    assert left[0] != left[1]
    samples, left = read(tmp_path, without="images")
    assert samples[0] == drawn[0]
    assert [(Path(s.images[0]).name, s.question, s.boxes) for s in samples[1:]] == [("1.png", "mass", ())]
    assert left == ["a shape of the type 'point', which has no box"]
    samples, _ = read(tmp_path, without="categories", names=["clip"])
    # The clip of the third image has no box, but it is there.
    assert sorted((Path(s.images[0]).name, s.question) for s in samples if not s.boxes) == [
        ("0.png", "clip"), ("1.png", "clip"), ("1.png", "mass"), ("2.png", "mass"),
    ]  # fmt: skip


def test_the_picture_that_a_file_holds_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    values = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    held = {"imageData": png(values), "image": "../../elsewhere/0.png"}
    put(tmp_path / "mine", {"0.json": file(RECTANGLE, **held)})
    [sample], left = read(tmp_path)
    assert (corners(sample), left) == ([TENTHS], [])
    assert (np.asarray(Image.open(sample.images[0])) == values).all()
    # A file that is there counts more, and the id is the same with both.
    put(tmp_path / "mine", {"0.png": None, "0.json": file(RECTANGLE, imageData=png(values))})
    [beside], _ = read(tmp_path)
    assert beside.images == (str(tmp_path / "mine" / "0.png"),)
    assert beside.id == sample.id


@pytest.mark.parametrize("held", ["no picture", "!!", png(np.zeros((4, 4), np.uint8))[:40], 7, {"a": 1}])
def test_what_a_file_holds_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Any) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    put(tmp_path / "mine", {"0.json": file(RECTANGLE, imageData=held)})
    with pytest.raises(DataError, match=r"0\.json.*imageData"):
        read(tmp_path)
