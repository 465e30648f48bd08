from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import vqa_rad
from pefomed.errors import DataError

WriteJson = Callable[[Path, Any], Path]


def record(qid: int, image: str = "synpic1.jpg", **more: Any) -> dict[str, Any]:
    return {
        "qid": qid, "image_name": image, "image_organ": "CHEST", "answer": "yes", "answer_type": "CLOSED",
        "question_type": "PRES", "question": "Is there air?", "phrase_type": "freeform", **more,
    }  # fmt: skip


def test_a_record_becomes_a_sample(tmp_path: Path, write_json: WriteJson) -> None:
    write_json(
        tmp_path / "trainset.json",
        [
            record(7, question="How many? ", answer=3, answer_type="OPEN ", question_type="SIZE, PRES"),
            record(8, answer=" no ", question_type="ATRIB"),
        ],
    )
    first, second = vqa_rad.load(tmp_path, "train")
    assert first.id == "vqa_rad-train-7"
    assert first.images == (str(tmp_path / "images" / "synpic1.jpg"),)
    assert (first.question, first.reference) == ("How many?", "3")
    assert first.meta == {
        "answer_type": "OPEN",
        "question_type": "SIZE, PRES",
        "question_type_main": "SIZE",
        "image_organ": "CHEST",
        "phrase_type": "freeform",
    }
    assert second.reference == "no"
    assert (second.meta["question_type"], second.meta["question_type_main"]) == ("ATRIB", "ATTRIB")


def test_validate_holds_out_whole_images(tmp_path: Path, write_json: WriteJson) -> None:
    # 20 images with 3 questions each; a share of 0.15 is 3 images, so 9 samples.
    write_json(
        tmp_path / "trainset.json", [record(3 * i + j, f"synpic{i}.jpg") for i in range(20) for j in range(3)]
    )
    train = list(vqa_rad.load(tmp_path, "train", validate_share=0.15))
    validate = list(vqa_rad.load(tmp_path, "validate", validate_share=0.15))
    assert (len(train), len(validate)) == (51, 9)
    assert not {sample.images for sample in train} & {sample.images for sample in validate}
    whole = {sample.id for sample in vqa_rad.load(tmp_path, "train")}
    assert {sample.id for sample in [*train, *validate]} == whole
    assert validate == list(vqa_rad.load(tmp_path, "validate", validate_share=0.15))
    other = list(vqa_rad.load(tmp_path, "validate", validate_share=0.15, validate_seed=1))
    assert {sample.id for sample in other} != {sample.id for sample in validate}


def test_single_questions_can_be_held_out_as_in_the_test_split(tmp_path: Path, write_json: WriteJson) -> None:
    write_json(
        tmp_path / "trainset.json", [record(3 * i + j, f"synpic{i}.jpg") for i in range(20) for j in range(3)]
    )
    train = list(vqa_rad.load(tmp_path, "train", validate_share=0.15, validate_by="question"))
    validate = list(vqa_rad.load(tmp_path, "validate", validate_share=0.15, validate_by="question"))
    assert (len(train), len(validate)) == (51, 9)
    assert not {sample.id for sample in train} & {sample.id for sample in validate}
    # 9 of 60 questions about 20 images: some of them must share an image with what is left.
    assert {sample.images for sample in train} & {sample.images for sample in validate}


def test_without_a_share_there_is_no_validation_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validate_share"):
        list(vqa_rad.load(tmp_path, "validate"))


def test_unknown_split_missing_file_and_missing_field(tmp_path: Path, write_json: WriteJson) -> None:
    with pytest.raises(DataError, match="did you mean 'test'"):
        list(vqa_rad.load(tmp_path, "tests"))
    with pytest.raises(DataError, match=r"no file at .*testset\.json"):
        list(vqa_rad.load(tmp_path, "test"))
    broken = record(1)
    broken["anser"] = broken.pop("answer")
    write_json(tmp_path / "testset.json", [record(0), broken])
    with pytest.raises(DataError, match=r"(?s)testset\.json, entry 2: no field 'answer'.*'anser'"):
        list(vqa_rad.load(tmp_path, "test"))


def test_real_counts(real_data: Path) -> None:
    train, test = (list(vqa_rad.load(real_data / "vqa_rad", split)) for split in ("train", "test"))
    assert (len(train), len(test)) == (3064, 451)
    assert Counter(sample.meta["answer_type"] for sample in test) == {"OPEN": 179, "CLOSED": 272}
    assert {sample.meta["image_organ"] for sample in train} == {"HEAD", "CHEST", "ABD"}
    assert not any(value != value.strip() for sample in train for value in sample.meta.values())
    assert all(Path(path).is_file() for sample in [*train, *test] for path in sample.images)
