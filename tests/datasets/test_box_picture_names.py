"""How files of boxes name their pictures: absolute paths inside the folder, URLs, paths of Windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

TENTHS = (0.1, 0.1, 0.5, 0.5)  # 64, 48, 320, 240 of 640 x 480
URL = "https://example.org/a.png"
LOADERS = ("coco", "yolo", "voc", "labelme")


def write(folder: Path, loader: str, name: str) -> Path:
    """Write a data set of one box on `pictures/in/a.png`, which its file calls `name`; return the picture."""
    root = folder / "mine"
    picture = root / "pictures/in/a.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (640, 480)).save(picture)
    (root / "labels").mkdir(exist_ok=True)
    if loader == "coco":
        content = {
            "images": [{"id": 1, "file_name": name, "width": 640, "height": 480}],
            "categories": [{"id": 1, "name": "mass"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [64, 48, 256, 192]}],
        }
        (root / "train.json").write_text(json.dumps(content))
    elif loader == "yolo":
        (root / "data.yaml").write_text("names: [mass]\ntrain: train.txt\n")
        (root / "train.txt").write_text(f"{name}\n")
        (picture.parent / "a.txt").write_text("0 0.3 0.3 0.4 0.4\n")
    elif loader == "voc":
        box = "<bndbox><xmin>65</xmin><ymin>49</ymin><xmax>320</xmax><ymax>240</ymax></bndbox>"
        (root / "labels/a.xml").write_text(
            f"<annotation><filename>{name}</filename><object><name>mass</name>{box}</object></annotation>"
        )
    else:
        shape = {"label": "mass", "shape_type": "rectangle", "points": [[64, 48], [320, 240]]}
        (root / "labels/a.json").write_text(json.dumps({"imagePath": name, "shapes": [shape]}))
    return picture


def options(loader: str) -> dict[str, Any]:
    return {
        "coco": {"images": "pictures"},
        "yolo": {},
        "voc": {"annotations": "labels", "images": "pictures"},
        "labelme": {"annotations": "labels", "images": "pictures"},
    }[loader]


def read(folder: Path, loader: str) -> Sample:
    dataset = Dataset(loader=loader, root="mine", options=options(loader))
    [sample] = load_split(dataset, "train", folder)[0]
    return sample


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("linked", [False, True])
def test_absolute_paths_are_taken_inside_the_folder(tmp_path: Path, loader: str, linked: bool) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    there.mkdir()
    if linked:  # the file says where the data really lies, the recipe where a link to it is
        here.symlink_to(there)
    folder = here if linked else there
    write(folder, loader, str(there / "mine/pictures/in/a.png"))
    sample = read(folder, loader)
    [box] = sample.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(TENTHS)
    assert Path(sample.images[0]).resolve() == there / "mine/pictures/in/a.png"
    moved = tmp_path / "moved"
    write(moved, loader, str(moved / "mine/pictures/in/a.png"))
    assert read(moved, loader).id == sample.id


@pytest.mark.parametrize("loader", LOADERS)
def test_a_url_is_named(tmp_path: Path, loader: str) -> None:
    write(tmp_path, loader, URL)
    with pytest.raises(DataError, match="a picture's name is a URL, not a path"):
        read(tmp_path, loader)


@pytest.mark.parametrize("loader", ["coco", "voc"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("in\\a.png", "a path with backslashes, as Windows writes it"),
        ("..\\in\\a.png", "must stay inside"),
        ("C:\\mine\\in\\a.png", "must stay inside"),
        ("../pictures/in/a.png", "must stay inside"),
        ("/elsewhere/a.png", "must stay inside"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, loader: str, name: str, words: str) -> None:
    write(tmp_path, loader, name)
    with pytest.raises(DataError, match=words):
        read(tmp_path, loader)


@pytest.mark.parametrize("loader", ["yolo", "labelme"])
def test_backslashes_that_these_programs_write_are_slashes(tmp_path: Path, loader: str) -> None:
    write(tmp_path, loader, "pictures\\in\\a.png" if loader == "yolo" else "in\\a.png")
    assert read(tmp_path, loader).question == "mass"


def test_an_absolute_path_outside_is_nothing_to_read(tmp_path: Path) -> None:
    for loader in ("yolo", "labelme"):
        folder = tmp_path / loader
        folder.mkdir()
        outside = folder / "secret.png"
        Image.new("L", (640, 480)).save(outside)
        write(folder, loader, str(outside))
        with pytest.raises(DataError, match=r"no such file|no image"):
            read(folder, loader)
