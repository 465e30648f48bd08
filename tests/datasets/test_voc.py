from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

TENTHS = (0.1, 0.1, 0.5, 0.5)  # pixels 65 to 320 of 640 and 49 to 240 of 480, counted from 1


def thing(name: str = "mass", corners: tuple[Any, ...] = (65, 49, 320, 240), more: str = "") -> str:
    xmin, ymin, xmax, ymax = corners
    return (
        f"<object><name>{name}</name><difficult>0</difficult>{more}<bndbox><xmax>{xmax}</xmax><xmin>{xmin}</xmin>"
        f"<ymax>{ymax}</ymax><ymin>{ymin}</ymin></bndbox></object>"
    )


def voc(*things: str, image: str = "0.png", size: tuple[Any, Any] = (640, 480)) -> str:
    return (
        f"<annotation><folder>x</folder><filename>{image}</filename><path>/home/else/{image}</path>"
        f"<source><database>ward 7</database></source>"
        f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>1</depth></size>"
        f"{''.join(things)}</annotation>"
    )


def put(folder: Path, files: dict[str, str | None]) -> None:
    """Write text files, and 640 x 480 images where there is no text."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            Image.new("L", (640, 480), len(name)).save(path)
        else:
            path.write_text(text, encoding="utf-8")


def read(folder: Path, split: str = "train", **options: Any) -> tuple[list[Sample], list[str]]:
    samples, left = load_split(Dataset(loader="voc", root="mine", options=options), split, folder)
    return samples, [each.reason for each in left]


def corners(sample: Sample) -> list[tuple[float, ...]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]


LAYOUTS: dict[str, tuple[dict[str, str | None], dict[str, Any]]] = {
    "VOC": (
        {
            "mine/Annotations/0.xml": voc(thing()), "mine/JPEGImages/0.png": None,
            "mine/Annotations/1.xml": voc(thing(), image="1.png"), "mine/JPEGImages/1.png": None,
            "mine/ImageSets/Main/train.txt": "0\n", "mine/ImageSets/Main/val.txt": "1 1\n0 -1\n",
            "mine/ImageSets/Main/trainval.txt": "0\n1\n", "mine/ImageSets/Main/mass_train.txt": "0  1\n",
        },
        {},
    ),
    "a folder a split, the images beside": (
        {
            "mine/train/0.xml": voc(thing()), "mine/train/0.png": None,
            "mine/valid/1.xml": voc(thing(), image="1.png"), "mine/valid/1.png": None,
        },
        {},
    ),
    "a folder a split, the images in another": (
        {
            "mine/annotations/train/0.xml": voc(thing()), "mine/images/train/0.png": None,
            "mine/annotations/val/a/1.xml": voc(thing(), image="1"), "mine/images/val/a/1.png": None,
        },
        {},
    ),
    "named in the recipe": (
        {
            "mine/xml-train/0.xml": voc(thing()), "pictures/0.png": None,
            "mine/xml-val/1.xml": voc(thing(), image="1.png"), "pictures/1.png": None,
        },
        {"annotations": "xml-{split}", "images": "../pictures"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_boxes(tmp_path: Path, layout: str) -> None:
    files, options = LAYOUTS[layout]
    put(tmp_path, files)
    for split, image in (("train", "0.png"), ("validate", "1.png")):
        [sample], left = read(tmp_path, split, **options)
        assert corners(sample) == [TENTHS]
        assert (sample.question, sample.size, left) == ("mass", (640, 480), [])
        assert Path(sample.images[0]).name == image
    assert len(found_splits(Dataset(loader="voc", root="mine", options=options), tmp_path)) == 2
    with pytest.raises(DataError, match="has no split 'test'"):
        read(tmp_path, "test", **options)


def test_lists_of_other_names_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    put(tmp_path, LAYOUTS["VOC"][0])
    assert len(read(tmp_path, "trainval")[0]) == 2
    assert len(read(tmp_path, "mass_train")[0]) == 1
    put(tmp_path, {"mine/ImageSets/Main/train.txt": "0\n7\n"})
    with pytest.raises(DataError, match=r"train\.txt, line 2: no annotation"):
        read(tmp_path)
    put(tmp_path, {"mine/ImageSets/Main/train.txt": "../../0\n"})
    with pytest.raises(DataError, match=r"train\.txt, line 1: a file name must stay inside"):
        read(tmp_path)


def test_objects_of_a_name_are_one_sample(tmp_path: Path) -> None:
    part = (
        "<part><name>r</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
    )
    files = voc(thing(more=part), thing("rib", (1, 1, 64, 48)), thing(corners=(577, 433, 640, 480)))
    put(tmp_path, {"mine/0.xml": files, "mine/0.png": None})
    put(tmp_path, {"mine/1.xml": voc(image="1.png", size=(0, 0)), "mine/1.png": None})
    (mass, rib), left = read(tmp_path, meta=["difficult", "source.database"])
    assert corners(mass) == [TENTHS, (0.9, 0.9, 1, 1)]
    assert corners(rib) == [(0, 0, 0.1, 0.1)]
    assert mass.meta == {
        "category": "mass",
        "boxes": "several",
        "difficult": "0",
        "source.database": "ward 7",
    }
    assert left == ["an image without annotations"]


@pytest.mark.parametrize(
    ("pixels", "written"),
    [
        ("from 1", (65, 49, 320, 240)),
        ("from 0", (64, 48, 319, 239)),
        ("edges", (64, 48, 320, 240)),
        ("from 1", ("65.0", " 49", "320", "240")),
    ],
)
def test_what_the_corners_are_is_said(tmp_path: Path, pixels: str, written: tuple[Any, ...]) -> None:
    put(tmp_path, {"mine/0.xml": voc(thing(corners=written)), "mine/0.png": None})
    [sample], _ = read(tmp_path, pixels=pixels)
    assert corners(sample) == [TENTHS]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            voc(thing(corners=(0, 49, 320, 240))),
            {},
            r"object 1: a corner.*counted from 1.*'from 0' or 'edges'",
        ),
        (voc(thing(corners=(64, 48, 640, 240))), {"pixels": "from 0"}, "counted from 0.*'from 1' or 'edges'"),
        (voc(thing(corners=(65, 49, 700, 240))), {}, "object 1.*stands out"),
        (voc(thing(), thing(corners=(320, 49, 65, 240))), {}, "object 2.*inverted"),
        (voc(thing(corners=("", 49, 65, 240))), {}, "object 1.*four finite numbers"),
        (voc(thing(" ")), {}, "object 1.*the phrase is empty"),
        (voc(thing(), size=(480, 640)), {}, "not as large"),
        (
            voc("<object><name>a</name><robndbox><cx>1</cx></robndbox></object>"),
            {},
            "no <bndbox>.*<robndbox>",
        ),
        (voc(thing(), image="7.png"), {}, "no image '7.png'"),
        (voc(thing(), image="../../etc/passwd"), {}, "must stay inside"),
        (voc(thing()), {"meta": ["pose"]}, "no field 'pose'"),
        ("<xml/>", {}, "expected <annotation>"),
        ("<annotation>", {}, "is not XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>', {}, "XML entities"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, options: dict[str, Any], words: str) -> None:
    put(tmp_path, {"mine/0.xml": text, "mine/0.png": None})
    with pytest.raises(DataError, match=rf"(?s)0\.xml.*{words}"):
        read(tmp_path, **options)


def test_a_wrong_convention_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    put(tmp_path, {"mine/0.png": None})
    with pytest.raises(DataError, match=r"no annotations: no file ends in \.xml"):
        read(tmp_path)
    with pytest.raises(RecipeError, match="'pixels' of the loader 'voc'"):
        read(tmp_path, pixels="from 2")


def test_what_nobody_drew_may_be_asked_for(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "mine/train/0.xml": voc(thing(), thing("rib", (1, 1, 9, 9))), "mine/train/0.png": None,
            "mine/train/1.xml": voc(image="1.png"), "mine/train/1.png": None,
            "mine/train/2.xml": voc(thing("rib"), image="2.png"), "mine/train/2.png": None,
        },
    )  # fmt: skip
    drawn, left = read(tmp_path)
    assert (len(drawn), left) == (3, ["an image without annotations"])
    samples, left = read(tmp_path, without="images", meta=["source.database"])
    assert [s.id for s in samples[:3]] == [s.id for s in drawn]
    assert [(Path(s.images[0]).name, s.question, s.boxes) for s in samples[3:]] == [
        ("1.png", "mass", ()), ("1.png", "rib", ()),
    ]  # fmt: skip
    assert samples[3].meta == {"category": "mass", "source.database": "ward 7", "boxes": "none"}
    assert left == []
    samples, _ = read(tmp_path, without="categories", names=["liver"])
    absent = [(Path(s.images[0]).name, s.question) for s in samples if not s.boxes]
    assert sorted(absent) == [
        ("0.png", "liver"), ("1.png", "liver"), ("1.png", "mass"), ("1.png", "rib"),
        ("2.png", "liver"), ("2.png", "mass"),
    ]  # fmt: skip
    # An object that a rule leaves out is in its image all the same.
    samples, _ = read(tmp_path, without="categories", skip=[{"column": "name", "is": "rib"}])
    assert [(s.question, len(s.boxes)) for s in samples] == [("mass", 1), ("mass", 0), ("mass", 0)]
    # A rule about the file itself holds for an image without objects too.
    samples, left = read(tmp_path, without="images", skip=[{"column": "filename", "is": "1.png"}])
    assert (samples, left) == (drawn, ["filename is 1.png"])
