from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WriteJson = Callable[[Path, Any], Path]
Writer = Callable[..., Path]


def content(*annotations: dict[str, Any], **image: Any) -> dict[str, Any]:
    """Return a COCO file of one image, 12 x 8 pixels, and two categories."""
    return {
        "images": [{"id": 3, "file_name": "a.png", "width": 12, "height": 8, **image}],
        "categories": [{"id": 1, "name": "liver"}, {"id": 2, "name": "left kidney"}],
        "annotations": [
            {"id": number, "image_id": 3, "category_id": 1, "bbox": [3, 2, 6, 4], **each}
            for number, each in enumerate(annotations, 1)
        ],
    }


@pytest.fixture
def read(tmp_path: Path, write_image: Writer, write_json: WriteJson) -> Callable[..., list[Sample]]:
    write_image("mine/a.png")

    def read_file(made: Any, split: str = "train", file: str = "train.json", **options: Any) -> list[Sample]:
        write_json(tmp_path / "mine" / file, made)
        return load_samples(Dataset(loader="coco", root="mine", options=options), split, tmp_path)

    return read_file


def test_boxes_of_a_category_in_an_image_are_one_sample(
    read: Callable[..., list[Sample]], tmp_path: Path
) -> None:
    made = content({}, {"category_id": 2}, {"bbox": [0, 0, 12, 8]})
    liver, kidney = read(made)
    assert (liver.task, liver.question) == ("refer", "liver")
    assert liver.id.startswith("mine-train-")
    assert liver.id.endswith("-refer")
    assert liver.images == (str(tmp_path / "mine/a.png"),)
    assert (liver.size, liver.meta) == ((12, 8), {"category": "liver", "boxes": "several"})
    # 3 / 12, 2 / 8, (3 + 6) / 12, (2 + 4) / 8.
    assert [(b.x0, b.y0, b.x1, b.y1) for b in liver.boxes] == [(0.25, 0.25, 0.75, 0.75), (0, 0, 1, 1)]
    assert kidney.meta["boxes"] == "1"
    assert [s.question for s in read(made, boxes="one")] == ["left kidney"]
    named = read(made, tasks=["identify"])[1]
    assert (named.id, named.reference) == (kidney.id.replace("refer", "identify"), "left kidney")


def test_phrases_splits_and_groups_from_fields(read: Callable[..., list[Sample]]) -> None:
    made = content(
        {"label_text": "a large liver", "fold": "test"},
        {"label_text": "liver", "fold": "train", "bbox": [0, 0, 6, 4]},
        modality="CT",
    )
    options: dict[str, Any] = {"phrase": "label_text", "split_field": "fold", "meta": ["modality"]}
    [sample] = read(made, "test", "all.json", annotations="all.json", **options)
    assert (sample.question, sample.meta) == (
        "a large liver",
        {"category": "liver", "modality": "CT", "boxes": "1"},
    )
    with pytest.raises(DataError, match="no annotation of the split 'validate'"):
        read(made, "validate", "all.json", annotations="all.json", **options)
    with pytest.raises(DataError, match="no split 'test': the whole file is 'train'"):
        read(made, "test", "all.json", annotations="all.json")


def test_form_and_unit_are_as_said(read: Callable[..., list[Sample]]) -> None:
    [sample] = read(content({"bbox": [3, 2, 9, 6]}), form="xyxy")
    [again] = read(content({"bbox": [0.25, 0.25, 0.5, 0.5]}), unit="relative")
    assert sample.boxes == again.boxes == read(content({}))[0].boxes
    with pytest.raises(RecipeError, match="'form' of the loader 'coco'"):
        read(content({}), form="xyhw")


@pytest.mark.parametrize(
    ("made", "options", "words"),
    [
        (content({"bbox": [3, 2, 10, 4]}), {}, r"train\.json, annotation 1: the box stands out"),
        (content({}, {"bbox": [3, 2, 0, 4]}), {}, "annotation 2: the box has no area"),
        (content({"bbox": None}), {}, "annotation 1: a box needs four finite numbers"),
        (content({"bbox": [0.1, 0.1, 0.5, 0.5]}), {}, "annotation 1: the box is not in the declared unit"),
        (content({"category_id": 7}), {}, r"annotation 1: unknown category id 7.*2 known"),
        (content({"image_id": 7}), {}, "annotation 1: unknown image id 7"),
        (content({}, width=24), {}, r"annotation 1, image .*a\.png: the image is not as large.*24 x 8 in"),
        (content({}, file_name="b.png"), {}, "no image at"),
        (content({}, file_name="../b.png"), {}, "must stay inside"),
        (content({}), {"phrase": "label_text"}, "annotation 1: no field 'label_text'"),
        (content({"text": " "}), {"phrase": "text"}, "annotation 1: the phrase is empty"),
        (content({}), {"split_field": "fold"}, "annotation 1: no field 'fold'"),
        (content({"id": 2}, {}), {}, "annotations entry 2: the id 2 occurs twice"),
        ([], {}, "no COCO file: expected an object"),
        ({"images": []}, {}, "no COCO file: it needs a list 'categories'"),
        ({**content({}), "images": [7]}, {}, "images entry 1: expected an object"),
        ({**content({}), "categories": [{"id": 1}]}, {}, "categories entry 1: no field 'name'"),
        (content(), {}, "is empty"),
    ],
)
def test_mistakes_are_named(
    read: Callable[..., list[Sample]], made: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(made, **options)


def test_what_nobody_drew_may_be_asked_for(read: Callable[..., list[Sample]], write_image: Writer) -> None:
    write_image("mine/b.png")
    made = content({}, ward="north")
    made["images"].append({"id": 4, "file_name": "b.png", "width": 12, "height": 8, "ward": "south"})
    drawn = read(made)
    assert [s.question for s in drawn] == ["liver"]
    *same, liver, kidney = read(made, without="images", meta=["ward"], tasks=["refer", "identify"])[0::1]
    assert [(s.task, s.question, s.boxes) for s in (liver, kidney)] == [
        ("refer", "liver", ()), ("refer", "left kidney", ()),
    ]  # fmt: skip
    assert liver.meta == {"category": "liver", "ward": "south", "boxes": "none"}
    assert liver.size == (12, 8)
    assert same[0].id == drawn[0].id
    every = read(made, without="categories", meta=["ward"])
    assert [(Path(s.images[0]).name, s.question, len(s.boxes), s.meta["ward"]) for s in every] == [
        ("a.png", "liver", 1, "north"),
        ("a.png", "left kidney", 0, "north"),
        ("b.png", "liver", 0, "south"),
        ("b.png", "left kidney", 0, "south"),
    ]
    assert len({s.id for s in every}) == 4
    assert read(made, without="categories", boxes="one") == drawn
    with pytest.raises(DataError, match="`phrase` names other phrases"):
        read(made, without="images", phrase="ward")


def test_what_rules_leave_out_is_not_asked_about(
    read: Callable[..., list[Sample]], write_image: Writer
) -> None:
    write_image("mine/b.png")
    made = content({"iscrowd": 1}, ward="north")
    made["images"] += [
        {"id": 4, "file_name": "b.png", "width": 12, "height": 8, "ward": "south"},
        {"id": 5, "file_name": "gone.png", "width": 12, "height": 8, "ward": "north"},
    ]
    rules = ["missing image", {"column": "iscrowd", "is": 1}, {"column": "ward", "is": "south"}]
    # The liver is drawn as a crowd: it is left out, but not said to be absent.
    assert [(s.question, s.boxes) for s in read(made, without="categories", skip=rules)] == [
        ("left kidney", ())
    ]
