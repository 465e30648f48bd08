from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.audit.recipe import audit_dataset
from pefomed.datasets import load_split
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

BOX = "0 0.3 0.3 0.4 0.4\n"
TENTHS = (0.1, 0.1, 0.5, 0.5)  # .3 - .4 / 2, .3 + .4 / 2


def put(folder: Path, files: dict[str, str | None]) -> None:
    """Write text files, and 640 x 480 images where there is no text."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            Image.new("L", (640, 480), len(name)).save(path)
        else:
            path.write_text(text, encoding="utf-8")


def read(
    folder: Path, split: str = "train", root: str = "mine", **options: Any
) -> tuple[list[Sample], list[str]]:
    """Return the samples, and the reasons of what is left out."""
    samples, left = load_split(Dataset(loader="yolo", root=root, options=options), split, folder)
    return samples, [each.reason for each in left]


def corners(sample: Sample) -> list[Any]:
    return [pytest.approx((box.x0, box.y0, box.x1, box.y1)) for box in sample.boxes]


NAMED = "names: [mass, 'no', rib]\n"

LAYOUTS: dict[str, dict[str, str | None]] = {
    "Ultralytics": {
        "mine/data.yaml": NAMED + "path: ../other  # elsewhere\ntrain: images/train\nval: images/val\n",
        "mine/images/train/a/0.png": None, "mine/labels/train/a/0.txt": BOX,
        "mine/images/val/1.png": None, "mine/labels/val/1.txt": BOX,
    },
    "Roboflow": {
        "mine/data.yaml": "names: {0: mass, 1: rib}\nnc: 2\ntrain: ../train/images\nval: ../valid/images\n",
        "mine/train/images/0.png": None, "mine/train/labels/0.txt": BOX,
        "mine/valid/images/1.png": None, "mine/valid/labels/1.txt": BOX,
    },
    "lists": {
        "mine/data.yaml": NAMED + "path: mine\ntrain: [train.txt]\nval: lists/val.txt\n",
        "mine/train.txt": "./images/0.png\n\n", "mine/lists/val.txt": "images/1.png\n",
        "mine/images/0.png": None, "mine/images/1.png": None,
        "mine/labels/0.txt": BOX, "mine/labels/1.txt": BOX,
    },
    "folders alone": {
        "mine/classes.txt": "mass\nrib\n",
        "mine/images/train/0.png": None, "mine/labels/train/0.txt": BOX,
        "mine/images/val/1.png": None, "mine/labels/val/1.txt": BOX,
    },
    "Darknet": {
        "mine/obj.names": "mass\nrib\n",
        "mine/train/0.png": None, "mine/train/0.txt": BOX,
        "mine/valid/1.png": None, "mine/valid/1.txt": BOX,
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_boxes(tmp_path: Path, layout: str) -> None:
    put(tmp_path, LAYOUTS[layout])
    for split, image in (("train", "0.png"), ("validate", "1.png")):
        [sample], left = read(tmp_path, split)
        assert corners(sample) == [TENTHS]
        assert (sample.question, sample.meta, left) == ("mass", {"category": "mass", "boxes": "1"}, [])
        assert Path(sample.images[0]).name == image
        assert sample.id.startswith(f"mine-{split}-")
    assert len(found_splits(Dataset(loader="yolo", root="mine"), tmp_path)) == 2
    with pytest.raises(DataError, match="has no split 'test'"):
        read(tmp_path, "test")


def test_one_folder_without_splits_is_train(tmp_path: Path) -> None:
    # The folder above may be called `images` itself.
    put(tmp_path, {"images/x/data.yaml": NAMED, "images/x/0.png": None, "images/x/0.txt": BOX})
    [sample], _ = read(tmp_path, root="images/x")
    assert corners(sample) == [TENTHS]
    put(tmp_path, {"mine/data.yaml": NAMED, "pictures/0.png": None, "mine/labels/0.txt": BOX})
    [sample], _ = read(tmp_path, images="../pictures")
    assert corners(sample) == [TENTHS]
    [again], _ = read(tmp_path, root="mine/data.yaml", images="../pictures", labels="labels")
    assert again == sample
    assert found_splits(Dataset(loader="yolo", root="mine", options={"images": "../pictures"}), tmp_path) == {
        "train": None
    }


def test_boxes_of_a_class_are_one_sample_and_images_without_a_box_are_counted(tmp_path: Path) -> None:
    put(tmp_path, {
        "mine/data.yaml": NAMED,
        "mine/images/0.png": None, "mine/labels/0.txt": BOX + "2 .5 .5 .2 .2\n0 .8 .8 .2 .2\n" + BOX,
        "mine/images/1.png": None, "mine/labels/1.txt": " \n",
        "mine/images/2.png": None,
        "mine/images/3.png": None, "mine/labels/3.txt": "1.0 .3 .3 .4 .4",
    })  # fmt: skip
    (mass, rib, no), left = read(tmp_path)
    assert corners(mass) == [TENTHS, (0.7, 0.7, 0.9, 0.9)]
    assert (rib.question, no.question) == ("rib", "no")  # YAML alone would make False of it
    assert sorted(left) == [
        "a box given twice", "an image without a label file", "an image without annotations",
    ]  # fmt: skip


def test_polygons_are_the_boxes_around_them(tmp_path: Path) -> None:
    put(tmp_path, {"mine/data.yaml": NAMED, "mine/images/0.png": None})
    put(tmp_path, {"mine/labels/0.txt": "0 0.1 0.1 0.5 0.1 0.5 0.5\n2 .2 .2 .4 .2 .4 .6 .2 .6\n"})
    (mass, rib), _ = read(tmp_path)
    assert corners(mass) == [TENTHS]
    assert corners(rib) == [(0.2, 0.2, 0.4, 0.6)]


def test_oriented_boxes_are_refused_unless_asked_for(tmp_path: Path) -> None:
    tilted = "0 0.3 0.1 0.5 0.3 0.3 0.5 0.1 0.3\n"
    put(tmp_path, {"mine/data.yaml": NAMED, "mine/images/0.png": None, "mine/labels/0.txt": BOX + tilted})
    with pytest.raises(DataError, match=r"0\.txt, line 2: an oriented box"):
        read(tmp_path)
    # The upright box around it is the one of the first line.
    [sample], left = read(tmp_path, oriented="bounds")
    assert (corners(sample), left) == ([TENTHS], ["a box given twice"])
    # Among polygons of other numbers of corners it is a polygon.
    put(tmp_path, {"mine/labels/0.txt": tilted + "2 .2 .2 .4 .2 .4 .6\n"})
    assert len(read(tmp_path)[0]) == 2


def test_keypoints_are_not_read_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, {"mine/data.yaml": NAMED + "kpt_shape: [2, 3]\n", "mine/images/0.png": None})
    put(tmp_path, {"mine/labels/0.txt": "0 0.3 0.3 0.4 0.4 0.2 0.2 2 0.4 0.4 1\n"})
    [sample], _ = read(tmp_path)
    assert corners(sample) == [TENTHS]
    assert "keypoints are not read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("0 0.3 0.3 0.4", "expected a class and four numbers"),
        ("0 0.3 0.3 0.4 0.4 0.9", "model's answers"),
        ("0 0.3 0.3 0.4 0.4 0.2 0.2 2", "kpt_shape"),
        ("0 0.3 0.3 0.4 nan", "finite numbers"),
        ("0 0.3 0.3 0.4 x", "finite numbers"),
        ("mass 0.3 0.3 0.4 0.4", "begins with the number of a class"),
        ("-1 0.3 0.3 0.4 0.4", "begins with the number of a class"),
        ("7 0.3 0.3 0.4 0.4", "the class 7 has no name"),
        ("0 0.3 0.3 0.8 0.4", "stands out of its image"),
        ("0 192 144 256 192", "not in the declared unit"),
        ("0 0.3 0.3 0 0.4", "no area"),
        ("0 0.1 0.1 0.5 0.1 0.5 1.5", "stands out of its image"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, label: str, words: str) -> None:
    put(tmp_path, {"mine/data.yaml": NAMED, "mine/images/0.png": None, "mine/labels/0.txt": BOX + label})
    with pytest.raises(DataError, match=rf"(?s)0\.txt, line 2.*{words}"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"data.yaml": "- mass\n"}, "expected `names"),
        ({"data.yaml": "names: mass\n"}, "`names` is a list"),
        ({"data.yaml": "names: {a: mass}\n"}, "`names` is a list"),
        ({"data.yaml": "names: &a [mass]\nclasses: *a\n"}, "aliases are not read"),
        ({"data.yaml": "names: [mass]\ntrain: ../../secret\n"}, r"'train'.*nothing outside"),
        ({"data.yaml": "names: [mass]\ntrain: /etc\n"}, r"'train'.*nothing outside"),
        (
            {"data.yaml": "names: [mass]\ntrain: list.txt\n", "list.txt": "/etc/passwd\n"},
            r"list\.txt, line 1",
        ),
        ({"data.yaml": "names: [mass]\nkpt_shape: 3\n"}, "kpt_shape"),
        ({"a.yaml": NAMED, "b.yaml": NAMED}, "several YAML files"),
        ({"labels/0.txt": BOX}, "the class 0 has no name"),
        ({"data.yaml": NAMED, "labels/0.txt": BOX, "labels/7.txt": BOX}, "1 label files without an image"),
    ],
)
def test_wrong_folders_are_named(tmp_path: Path, files: dict[str, str | None], words: str) -> None:
    put(tmp_path, {"mine/images/0.png": None, "secret/0.png": None})
    put(tmp_path / "mine", files)
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(tmp_path)


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    put(tmp_path, {"mine/data.yaml": NAMED})
    with pytest.raises(DataError, match="no images"):
        read(tmp_path)
    with pytest.raises(DataError, match="no images"):
        read(tmp_path, root="nowhere")


def test_pixels_are_said(tmp_path: Path) -> None:
    put(
        tmp_path, {"mine/data.yaml": NAMED, "mine/images/0.png": None, "mine/labels/0.txt": "0 64 48 320 240"}
    )
    [sample], _ = read(tmp_path, form="xyxy", unit="pixel")
    assert corners(sample) == [TENTHS]


def test_an_empty_file_may_say_that_there_is_nothing(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "mine/data.yaml": "names: [mass, rib]\ntrain: images/train\n",
            "mine/images/train/0.png": None, "mine/labels/train/0.txt": BOX,
            "mine/images/train/1.png": None, "mine/labels/train/1.txt": "",
            "mine/images/train/2.png": None,
        },
    )  # fmt: skip
    drawn, left = read(tmp_path)
    assert (len(drawn), len(left)) == (1, 2)
    samples, left = read(tmp_path, without="images")
    assert samples[0] == drawn[0]
    assert [(Path(s.images[0]).name, s.question, s.boxes, s.meta["boxes"]) for s in samples[1:]] == [
        (name, phrase, (), "none") for name in ("1.png", "2.png") for phrase in ("mass", "rib")
    ]
    assert left == []
    samples, _ = read(tmp_path, without="categories")
    first = next(s for s in samples if not s.boxes)
    assert (Path(first.images[0]).name, first.question) == ("0.png", "rib")
    assert len(samples) == 6


def test_a_split_that_is_not_there_fails_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(
        tmp_path,
        {
            "mine/data.yaml": NAMED + "train: images/train\nval: images/val\ntest: ../../elsewhere\n",
            "mine/images/train/0.png": None, "mine/labels/train/0.txt": BOX,
        },
    )  # fmt: skip
    assert len(read(tmp_path)[0]) == 1
    assert list(found_splits(Dataset(loader="yolo", root="mine"), tmp_path)) == ["train"]
    said = capsys.readouterr().err
    assert "the split 'val' cannot be read" in said
    assert "'images/val'" in said
    assert "the split 'test' cannot be read" in said
    assert "elsewhere" in said
    # The audit's own page says so too, not the terminal alone.
    audited = audit_dataset(Dataset(loader="yolo", root="mine"), ["train"], tmp_path)
    for split, name in (("val", "images/val"), ("test", "elsewhere")):
        assert name in audited["unusable_splits"][split]
        [told] = [each for each in audited["summary"] if each.startswith(f"The split {split!r}")]
        assert "cannot be read" in told
    for split, name in (("validate", "images/val"), ("test", "elsewhere")):
        with pytest.raises(DataError, match=f"no such file or folder in .*\n.*{name}"):
            read(tmp_path, split)
