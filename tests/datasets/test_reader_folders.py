"""Several people who annotated the same images: folders of their own, a field, lists of a hub's rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.annotations.sample_masks import read_mask
from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WIDTH, HEIGHT = 10, 8
ANNA, BEN = (1, 1, 4, 4), (2, 1, 5, 4)
"""Left, top, right, bottom; IoU 2 x 3 / (4 x 3) = 1/2."""


def picture(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (WIDTH, HEIGHT), number).save(folder / name)


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def shape(box: Any, **more: Any) -> dict[str, Any]:
    return {"label": "mass", "shape_type": "rectangle", "points": [box[:2], box[2:]], **more}


def labelme_json(name: str, *shapes: Any) -> str:
    about = {"imagePath": name, "imageWidth": WIDTH, "imageHeight": HEIGHT, "imageData": None}
    return json.dumps({**about, "shapes": shapes})


def thing(box: Any, more: str = "") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), (box[0] + 1, box[1] + 1, box[2], box[3]), strict=True)
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in sides)
    return f"<object><name>mass</name>{more}<bndbox>{inner}</bndbox></object>"


def voc_xml(name: str, *things: str) -> str:
    return f"<annotation><filename>{name}</filename>{''.join(things)}</annotation>"


def line(box: Any) -> str:
    x0, y0, x1, y1 = box
    numbers = ((x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT)
    return "0 " + " ".join(str(number) for number in numbers) + "\n"


def mask(path: Path, box: Any) -> None:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    if box:
        values[box[1] : box[3], box[0] : box[2]] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


# Anna drew on 0.png; ben on 0.png and 1.png; nobody on 2.png.
DRAWN = {"anna": {"0": ANNA}, "ben": {"0": BEN, "1": BEN}}
PICTURES = ("0", "1", "2")


def labelme(root: Path) -> dict[str, Any]:
    for reader, drawn in DRAWN.items():
        for name in PICTURES:
            shapes = [shape(drawn[name])] if name in drawn else []
            put(root / f"by_{reader}" / f"{name}.json", labelme_json(f"{name}.png", *shapes))
    return {"loader": "labelme", "options": {"annotations": "by_{reader}", "images": "images"}}


def voc(root: Path) -> dict[str, Any]:
    for reader, drawn in DRAWN.items():
        for name in PICTURES:
            things = [thing(drawn[name])] if name in drawn else []
            put(root / "xml" / reader / f"{name}.xml", voc_xml(f"{name}.png", *things))
    return {"loader": "voc", "options": {"annotations": "xml/{reader}", "images": "images"}}


def yolo(root: Path) -> dict[str, Any]:
    for reader, drawn in DRAWN.items():
        for name in PICTURES:
            put(root / "labels" / reader / f"{name}.txt", line(drawn[name]) if name in drawn else "")
    return {"loader": "yolo", "options": {"images": "images", "labels": "labels/{reader}", "names": ["mass"]}}


def masks(root: Path) -> dict[str, Any]:
    for reader, drawn in DRAWN.items():
        for name in PICTURES:
            mask(root / "masks" / reader / f"{name}.png", drawn.get(name))
    return {"loader": "masks", "options": {"masks": "masks/{reader}/{image}", "phrase": "mass"}}


FORMS = {"labelme": labelme, "voc": voc, "yolo": yolo, "masks": masks}


def read(root: Path, made: dict[str, Any], **options: Any) -> tuple[list[Sample], list[str]]:
    picture(root, *(f"images/{name}.png" for name in PICTURES))
    given = {**made.get("options", {}), **options}
    data = Dataset(loader=made["loader"], root=".", options=given)
    samples, left = load_split(data, "train", root)
    return samples, [each.reason for each in left]


def found(samples: list[Sample]) -> list[tuple[Any, ...]]:
    """Picture, reader and boxes in pixels."""
    return sorted(
        (
            Path(sample.images[0]).stem, sample.meta.get("reader"),
            [(b.x0 * WIDTH, b.y0 * HEIGHT, b.x1 * WIDTH, b.y1 * HEIGHT) for b in sample.boxes],
        )
        for sample in samples
    )  # fmt: skip


def near(boxes: Any) -> Any:
    return [pytest.approx(box) for box in boxes]


@pytest.mark.parametrize("form", FORMS)
def test_each_readers_folder_is_a_sample_or_all_are_one(tmp_path: Path, form: str) -> None:
    made = FORMS[form](tmp_path)
    with pytest.raises(DataError, match=r"(?s)several readers would be one answer.*readers = 'apart'"):
        read(tmp_path, made)
    samples, left = read(tmp_path, made, readers="apart")
    assert found(samples) == [
        ("0", "anna", near([ANNA])), ("0", "ben", near([BEN])), ("1", "ben", near([BEN]))
    ]  # fmt: skip
    assert len(left) == 1  # the picture that nobody drew on, once
    samples, left = read(tmp_path, made, reader="")
    assert found(samples) == [("0", None, near([ANNA, BEN])), ("1", None, near([BEN]))]
    assert len(left) == 1
    # What one of them drew is not absent for the other; what nobody drew is asked about once.
    samples, _ = read(tmp_path, made, readers="apart", without="images")
    assert [each[0] for each in found(samples) if not each[2]] == ["2"]


def test_fused(tmp_path: Path) -> None:
    pytest.importorskip("ensemble_boxes", reason="the extra `fusion` is not installed")
    samples, _ = read(tmp_path, masks(tmp_path), readers="fused", fusion_iou=0.4)
    # Both count alike: the mean of the corners.
    assert found(samples)[0] == ("0", None, near([(1.5, 1, 4.5, 4)]))
    assert all(not sample.masks for sample in samples)


def test_each_reader_has_the_mask_that_is_theirs(tmp_path: Path) -> None:
    samples, _ = read(tmp_path, masks(tmp_path), readers="apart")
    for sample in samples:
        box = ANNA if sample.meta["reader"] == "anna" else BEN
        inside = np.argwhere(read_mask(sample.masks[0]))
        assert (inside.min(0)[::-1].tolist(), (inside.max(0)[::-1] + 1).tolist()) == ([*box[:2]], [*box[2:]])


def test_a_field_of_the_thing_says_who_drew_it(tmp_path: Path) -> None:
    picture(tmp_path, "images/0.png")
    put(tmp_path / "images/0.json", labelme_json(
        "0.png", shape(ANNA, flags={"by": "anna"}), shape(BEN, flags={"by": "ben"})
    ))  # fmt: skip
    made = {"loader": "labelme", "options": {"annotations": "images"}}
    samples, _ = read(tmp_path, made, reader="flags.by", readers="apart")
    assert found(samples) == [("0", "anna", near([ANNA])), ("0", "ben", near([BEN]))]
    things = [thing(box, f"<annotator>{name}</annotator>") for box, name in ((ANNA, "anna"), (BEN, "ben"))]
    put(tmp_path / "xml/0.xml", voc_xml("0.png", *things))
    made = {"loader": "voc", "options": {"annotations": "xml", "images": "images"}}
    with pytest.raises(DataError, match=r"(?s)several readers.*'annotator': anna, ben.*reader = 'annotator'"):
        read(tmp_path, made)
    samples, _ = read(tmp_path, made, reader="annotator", readers="apart")
    assert found(samples) == [("0", "anna", near([ANNA])), ("0", "ben", near([BEN]))]
    with pytest.raises(DataError, match="no field 'by'"):
        read(tmp_path, made, reader="by", readers="apart")


def test_lists_of_a_hubs_row_say_who_drew_each_box(tmp_path: Path) -> None:
    picture(tmp_path, "images/0.png")
    objects = {
        "bbox": [[*ANNA], [*BEN]], "category": ["mass", "mass"], "annotator": ["anna", "ben"]
    }  # fmt: skip
    put(tmp_path / "t.jsonl", json.dumps({"image": "images/0.png", "objects": objects}) + "\n")
    boxes = {"columns": ["objects.bbox"], "form": "xyxy", "unit": "pixel"}
    boxes |= {"reader": "objects.annotator", "readers": "apart"}
    options = {"columns": {"question": "objects.category"}, "boxes": boxes}
    samples, _ = load_split(Dataset(loader="table", root="t.jsonl", options=options), "train", tmp_path)
    assert found(samples) == [("0", "anna", near([ANNA])), ("0", "ben", near([BEN]))]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"masks": "gone/{reader}/{image}"}, "no folder of a reader"),
        ({"masks": "masks/{image}_{reader}"}, "give each reader a folder"),
        ({"reader": "field"}, "both say who drew"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, masks(tmp_path), **{"readers": "apart", **options})


def test_ids_of_one_reader_are_those_without_the_option(tmp_path: Path) -> None:
    made = masks(tmp_path)
    (tmp_path / "masks" / "anna").rename(tmp_path / "alone")
    [plain] = read(tmp_path, made, masks="alone/{image}")[0]
    (tmp_path / "both").mkdir()
    (tmp_path / "alone").rename(tmp_path / "both" / "anna")
    [one] = read(tmp_path, made, masks="both/{reader}/{image}", reader="")[0]
    assert one.id == plain.id
