from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import slake
from pefomed.errors import DataError

WriteJson = Callable[[Path, Any], Path]

RECORD = {
    "img_id": 102, "img_name": "xmlab102/source.jpg", "question": "What modality is used to take this image?",
    "answer": "CT", "q_lang": "en", "location": "Lung", "modality": "CT", "answer_type": "OPEN",
    "base_type": "vqa", "triple": ["vhead", "_", "_"], "qid": 11934, "content_type": "Modality",
}  # fmt: skip
CHINESE = {**RECORD, "q_lang": "zh", "qid": 12000, "question": "图片的模态是什么", "answer": ""}


@pytest.fixture
def root(tmp_path: Path, write_json: WriteJson) -> Path:
    write_json(tmp_path / "test.json", [RECORD, CHINESE])
    return tmp_path


def test_a_record_becomes_a_sample_and_english_is_the_default(root: Path) -> None:
    (sample,) = slake.load(root, "test")
    assert sample.id == "slake-test-11934"
    assert sample.images == (str(root / "imgs/xmlab102/source.jpg"),)
    assert (sample.question, sample.reference) == ("What modality is used to take this image?", "CT")
    assert sample.meta == {
        "answer_type": "OPEN", "content_type": "Modality", "modality": "CT", "location": "Lung",
        "base_type": "vqa",
    }  # fmt: skip


def test_other_languages_and_an_empty_answer_is_kept(root: Path) -> None:
    (chinese,) = slake.load(root, "test", language="zh")
    assert chinese.reference == ""
    both = list(slake.load(root, "test", language="both"))
    assert [sample.meta["language"] for sample in both] == ["en", "zh"]


def test_unknown_split_and_damaged_file(root: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'validate'"):
        list(slake.load(root, "validation"))
    (root / "train.json").write_text('[{"qid": 1,', encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)train\.json is not JSON.*line 1"):
        list(slake.load(root, "train"))
    (root / "train.json").write_bytes(b'[{"answer": "\xe9"}]')
    with pytest.raises(DataError, match=r"(?s)train\.json is not UTF-8.*byte 0xe9 at offset 13"):
        list(slake.load(root, "train"))


def test_real_counts(real_data: Path) -> None:
    splits = {split: list(slake.load(real_data / "slake", split)) for split in slake.CARD.splits}
    assert {name: len(samples) for name, samples in splits.items()} == {
        "train": 4919, "validate": 1053, "test": 1061,
    }  # fmt: skip
    assert Counter(sample.meta["answer_type"] for sample in splits["test"]) == {"OPEN": 645, "CLOSED": 416}
    images = {name: {sample.images for sample in samples} for name, samples in splits.items()}
    assert {name: len(found) for name, found in images.items()} == {"train": 450, "validate": 96, "test": 96}
    assert sum(not sample.reference for sample in splits["train"]) == 1
    both = list(slake.load(real_data / "slake", "train", language="both"))
    assert len(both) == 9835
