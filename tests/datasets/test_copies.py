"""VQA-RAD's OSF file and Hugging Face copy, and SLAKE's Hugging Face copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.made_parquet import write_parquet

from pefomed.datasets import card, slake, vqa_rad
from pefomed.errors import DataError

WriteJson = Callable[[Path, Any], Path]


def osf(qid: int, phrase_type: str, **more: Any) -> dict[str, Any]:
    return {
        "qid": qid, "phrase_type": phrase_type, "qid_linked_id": "03f451ca-de62-4617-9679-e836026a7642",
        "image_case_url": "https://medpix.nlm.nih.gov/case?id=48e1dd0e", "image_name": "synpic54610.jpg",
        "image_organ": "HEAD", "evaluation": "not evaluated", "question": "Are regions infarcted?",
        "question_rephrase": "NULL", "question_relation": "NULL", "question_frame": "NULL",
        "question_type": "PRES", "answer": "Yes", "answer_type": "CLOSED", **more,
    }  # fmt: skip


def test_the_osf_file_is_split_by_phrase_type(tmp_path: Path, write_json: WriteJson) -> None:
    records = [
        osf(1, "freeform", answer=3, answer_type="OPEN "), osf(2, "test_freeform "), osf(3, "para"),
        osf(4, "test_para", question_type="PRES, POS"),
    ]  # fmt: skip
    write_json(tmp_path / "VQA_RAD Dataset Public.json", records)
    train, test = (list(vqa_rad.load(tmp_path, split)) for split in ("train", "test"))
    assert [sample.id for sample in train] == ["vqa_rad-train-1", "vqa_rad-train-3"]
    assert [sample.id for sample in test] == ["vqa_rad-test-2", "vqa_rad-test-4"]
    assert train[0].images == (str(tmp_path / "VQA_RAD Image Folder" / "synpic54610.jpg"),)
    assert (train[0].reference, train[0].meta["answer_type"]) == ("3", "OPEN")
    assert test[1].meta["question_type_main"] == "PRES"
    about = card("vqa_rad", tmp_path)
    assert about is not None
    assert about.splits["train"].samples == 1797  # type: ignore[union-attr]


def test_the_hugging_face_copy_of_vqa_rad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    rows = [
        {"image": {"bytes": b"\xff\xd8\xff" + bytes([number // 3]), "path": None}, "question": "is it?",
         "answer": "yes" if number % 2 else "left"}
        for number in range(12)
    ]  # fmt: skip
    root = tmp_path / "hf"
    write_parquet(root / "data/train-00000-of-00001-eb8844602202be60.parquet", rows)
    samples = list(vqa_rad.load(root, "train"))
    assert len({sample.images for sample in samples}) == 4
    assert samples[0].meta == {"answer_type": "OPEN"}
    assert samples[1].meta == {"answer_type": "CLOSED"}
    held_out = list(vqa_rad.load(root, "validate", validate_share=0.25))
    assert len(held_out) == 3  # one of four images, with its three questions
    assert len({sample.images for sample in held_out}) == 1
    about = card("vqa_rad", root)
    assert about is not None
    assert about.splits["train"].samples == 1793  # type: ignore[union-attr]


def test_the_hugging_face_copy_of_slake(tmp_path: Path, write_json: WriteJson) -> None:
    record = {
        "img_id": 1, "img_name": "xmlab1/source.jpg", "question": "What modality is used?", "answer": "MRI",
        "q_lang": "en", "location": "Abdomen", "modality": "MRI", "answer_type": "OPEN", "base_type": "vqa",
        "content_type": "Modality", "triple": ["vhead", "_", "_"], "qid": 0,
    }  # fmt: skip
    write_json(tmp_path / "validation.json", [record])
    (sample,) = slake.load(tmp_path, "validate")
    assert sample.id == "slake-validate-0"
    assert sample.images == (str(tmp_path / "imgs/xmlab1/source.jpg"),)
    (tmp_path / "imgs.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"(?s)still packed.*unzip imgs\.zip"):
        list(slake.load(tmp_path, "validate"))
    (tmp_path / "imgs").mkdir()
    assert len(list(slake.load(tmp_path, "validate"))) == 1
