from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from tests.datasets.made_parquet import write_parquet

from pefomed.datasets import path_vqa
from pefomed.datasets.path_vqa import kind_of_question
from pefomed.errors import DataError

RECORDS = [
    {"image": "val_0001", "question": "Where are liver stem cells (oval cells) located? ",
     "answer": "in the canals of hering"},
    {"image": "val_0001", "question": "Is this an adrenal?", "answer": "Yes"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_original_layout(tmp_path: Path) -> None:
    path = tmp_path / "qas/val/val_qa.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(RECORDS))
    first, second = path_vqa.load(tmp_path, "validate")
    assert first.id.startswith("path_vqa-validate-")
    assert first.images == (str(tmp_path / "images/val/val_0001.jpg"),)
    assert first.question == "Where are liver stem cells (oval cells) located?"
    assert first.reference == "in the canals of hering"
    assert first.meta == {"answer_type": "OPEN", "question_type": "where"}
    assert second.meta == {"answer_type": "CLOSED", "question_type": "yes/no"}
    assert path_vqa.card_at(tmp_path) is path_vqa.CARD


def test_the_hugging_face_copy_shares_the_image_of_its_questions(tmp_path: Path, cache: Path) -> None:
    image = {"bytes": b"\xff\xd8\xff one jpeg", "path": None}
    rows = [
        {"image": image, "question": "what is present?", "answer": "liver"},
        {"image": image, "question": "is it?", "answer": "no"},
        {"image": {"bytes": b"\xff\xd8\xff another", "path": None}, "question": "why?", "answer": "yes."},
    ]
    write_parquet(tmp_path / "hf/data/test-00000-of-00001-ab12.parquet", rows)
    samples = list(path_vqa.load(tmp_path / "hf", "test"))
    assert [sample.meta["question_type"] for sample in samples] == ["what", "yes/no", "yes/no"]
    assert samples[0].images == samples[1].images != samples[2].images
    assert Path(samples[0].images[0]).read_bytes() == b"\xff\xd8\xff one jpeg"
    assert Path(samples[0].images[0]).suffix == ".jpg"
    assert path_vqa.card_at(tmp_path / "hf").splits["test"].samples == 6719  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is this?", "what"), ("what's the name?", "what"), ("where is it?", "where"),
        ("When does it occur?", "when"), ("whose cells are they?", "whose"), ("how is it stained?", "how"),
        ("how many cells are there?", "how many"), ("How much fat is there?", "how much"), ("why?", "why"),
        ("why is it red?", "why"), ("by what is it caused?", "what"), ("in which organ?", "other"),
        ("howl is it?", "other"), ("does it?", "other"), ("", "other"), ("in", "other"),
    ],
)  # fmt: skip
def test_the_kind_of_an_open_question(question: str, kind: str) -> None:
    assert kind_of_question(question) == kind


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'validate'"):
        list(path_vqa.load(tmp_path, "val"))
    with pytest.raises(DataError, match=r"(?s)PathVQA is not at .*qas/\{train,val,test\}.*parquet"):
        list(path_vqa.load(tmp_path, "test"))
    path = tmp_path / "qas/test/test_qa.pkl"
    path.parent.mkdir(parents=True)
    with pytest.raises(DataError, match=r"no file at .*test_qa\.pkl"):
        list(path_vqa.load(tmp_path, "test"))
    path.write_bytes(pickle.dumps([RECORDS[0], {"image": "a", "question": "q?"}]))
    with pytest.raises(DataError, match=r"test_qa\.pkl, entry 2: no field 'answer'"):
        list(path_vqa.load(tmp_path, "test"))
    path.write_bytes(pickle.dumps([{**RECORDS[0], "image": "../../../etc/passwd"}]))
    with pytest.raises(DataError, match="must stay inside"):
        list(path_vqa.load(tmp_path, "test"))
