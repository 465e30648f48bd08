from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pefomed.audit.audit import audit
from pefomed.audit.finding import EXAMPLES
from pefomed.audit.show import contact_sheet
from pefomed.audit.text import bare, normalised
from pefomed.datasets import slake, slake_captions, vqa_rad
from pefomed.datasets.card import DataCard, Published
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Box, Sample

Make = Callable[..., Sample]
Writer = Callable[..., Path]


@pytest.fixture
def splits(make_sample: Make, write_image: Writer, tmp_path: Path) -> dict[str, list[Sample]]:
    one, two, three = (write_image(f"{i}.png", seed=i) for i in (1, 2, 3))
    copy = write_image("copy.tiff", seed=2)  # the pixels of 2.png under another name
    return {
        "train": [
            make_sample("a", one, "Is it?", "yes", meta={"answer_type": "CLOSED"}),
            make_sample("b", one, "is  IT?", "Yes", meta={"answer_type": "CLOSED"}),  # a again
            make_sample("c", two, "Where?", "left", meta={"answer_type": "OPEN"}),
            make_sample("d", one, "Empty?", " "),
        ],
        "test": [
            make_sample("e", copy, "Where?", "Left"),  # the triplet of c
            make_sample("f", copy, "Where", "left"),  # the triplet of c but for the question mark
            make_sample("g", three, "Is it?", "yes"),  # only the text of a
            make_sample("a", tmp_path / "none.png", "Other?", "no"),
        ],
    }


def test_findings_of_a_hand_made_set(splits: dict[str, list[Sample]], tmp_path: Path) -> None:
    card = DataCard(
        "Hand-made", "CC0", "", "", splits={"train": Published(4, images=2), "test": Published(5)}
    )
    found = audit(splits, card)
    train, test = found["counts"]["train"], found["counts"]["test"]
    assert (train["samples"], train["images"], train["open"], train["closed"]) == (4, 2, 1, 2)
    assert (train["matches"], test["matches"]) == (True, False)
    assert found["unreadable"]["count"] == 1
    assert found["unreadable"]["examples"][0]["image"] == str(tmp_path / "none.png")
    assert found["same_image"]["count"] == 1
    assert found["duplicates"]["train"]["examples"] == [{"sample": "b", "same_as": "a"}]
    assert found["empty_answers"]["train"] == {"count": 1, "examples": ["d"]}
    assert found["shared_ids"]["examples"] == ["a"]
    (pair,) = found["leakage"]
    assert (pair["in"], pair["of"]) == ("train", "test")
    assert (pair["images"]["count"], pair["images"]["of"]) == (1, 2)
    assert [example["sample"] for example in pair["texts"]["examples"]] == ["e", "g"]
    assert [example["sample"] for example in pair["triplets"]["examples"]] == ["e"]
    assert pair["triplets"]["ignoring_punctuation"] == 2
    assert json.loads(json.dumps(found)) == found
    text = " ".join(found["summary"])
    assert "1 of 2 images of test also occur in train." in text
    assert "(2 if punctuation is ignored)" in text
    assert "train: 4 samples on 2 images (1 open, 2 closed), as published." in text
    assert "published: 5 samples" in text
    assert "none.png" in text


def test_boxes_stand_for_an_answer_and_examples_are_capped(make_sample: Make, write_image: Writer) -> None:
    path = write_image("1.png")
    samples = [make_sample(f"s{i}", path, f"q{i}", "") for i in range(EXAMPLES + 5)]
    boxed = Sample.model_validate(
        {"id": "g", "images": [str(path)], "task": "refer", "question": "heart", "size": [12, 8],
         "boxes": [{"x0": 0, "y0": 0, "x1": 1, "y1": 1}]}
    )  # fmt: skip
    found = audit({"train": [*samples, boxed]})["empty_answers"]["train"]
    assert found["count"] == EXAMPLES + 5
    assert len(found["examples"]) == EXAMPLES


def test_boxes_are_counted_and_phrases_are_no_leak(write_image: Writer) -> None:
    def phrase(number: int, image: Path, *boxes: tuple[float, float, float, float]) -> Sample:
        return Sample(
            id=f"p{number}", images=(str(image),), task="refer", question="heart", size=(12, 8),
            boxes=tuple(Box(x0=a, y0=b, x1=c, y1=d) for a, b, c, d in boxes),
        )  # fmt: skip

    one, two = write_image("1.png", seed=1), write_image("2.png", seed=2)
    thin, whole, usual = (0.1, 0.1, 0.105, 0.5), (0.0, 0.0, 1.0, 1.0), (0.25, 0.25, 0.5, 0.5)
    train = [phrase(0, one, thin), phrase(1, two, usual, usual, whole)]
    found = audit(
        {"train": train, "test": [phrase(2, two, usual)]},
        left_out={"train": [LeftOut("t.csv, line 3", "odd")]},
    )
    assert found["boxes"]["train"] == {
        "samples": 2, "several": 1, "boxes": 4, "thin": 1, "whole": 1, "repeated": 1, "turned": 0
    }  # fmt: skip
    assert found["left_out"] == {"train": [{"reason": "odd", "count": 1, "examples": ["t.csv, line 3"]}]}
    assert found["leakage"][0]["texts"]["of"] == 0
    assert found["leakage"][0]["triplets"]["count"] == 0  # other boxes: another answer
    text = " ".join(found["summary"])
    assert "have a question and answer that occur in" not in text
    assert "train: 4 boxes, in 2 samples, 1 of which have several; 1 thinner" in text
    assert "test: 1 boxes, one in each sample." in text
    assert "train: left out 1, odd, e.g. t.csv, line 3." in text


def test_phrases_that_are_nowhere_are_counted_where_there_are_some(
    write_image: Writer, tmp_path: Path
) -> None:
    def asked(number: int, task: str, *boxes: Box) -> Sample:
        return Sample(
            id=f"p{number}", images=(str(write_image("1.png")),), task=task, question="heart", size=(12, 8),
            reference="x" if task == "vqa" else "", boxes=boxes,
        )  # fmt: skip

    box = Box(x0=0.25, y0=0.25, x1=0.5, y1=0.5)
    train = [asked(0, "refer", box), asked(1, "refer"), asked(2, "detection"), asked(3, "vqa")]
    found = audit({"train": train, "validate": [asked(4, "refer")], "test": [asked(5, "refer", box)]})
    assert [counts.get("absent") for counts in found["boxes"].values()] == [2, 1, None]
    assert "train: 2 phrases that are nowhere in the image: the answer is no box." in found["summary"]
    assert "validate: 1 phrase that is nowhere in the image: the answer is no box." in found["summary"]
    assert not [text for text in found["summary"] if text.startswith("test:") and "nowhere" in text]
    sheet = contact_sheet(train, tmp_path / "sheet.html").read_text()
    assert "; in all 2 of what is not in the image" in sheet
    assert "not in the image" not in contact_sheet(train[:1], tmp_path / "sheet.html").read_text()


def test_normalisations() -> None:
    assert normalised("  Is  THE\theart\u00a0big? ") == "is the heart big?"
    assert bare("X-Ray, of_the chest?!") == "x ray of the chest"
    assert bare("肝脏。") == "肝脏"


def test_vqa_rad_leaks_every_test_image(real_data: Path) -> None:
    root = real_data / "vqa_rad"
    found = audit({split: list(vqa_rad.load(root, split)) for split in ("train", "test")}, vqa_rad.CARD)
    (pair,) = found["leakage"]
    assert (pair["images"]["count"], pair["images"]["of"]) == (203, 203)
    assert pair["triplets"]["count"] == 14
    assert found["unreadable"]["count"] == 0
    assert [counts["matches"] for counts in found["counts"].values()] == [True, True]
    assert "All 203 images of test also occur in train." in found["summary"]


def test_slake_english_shares_no_image_and_both_languages_do(real_data: Path) -> None:
    root = real_data / "slake"
    names = ("train", "validate", "test")
    found = audit({split: list(slake.load(root, split)) for split in names}, slake.CARD)
    assert [pair["images"]["count"] for pair in found["leakage"]] == [0, 0, 0]
    assert all(counts["matches"] for counts in found["counts"].values())
    assert found["empty_answers"]["train"]["examples"] == ["slake-train-1622"]
    mixed = audit(
        {
            "captions": list(slake_captions.load(root, "train")),
            "test": list(slake.load(root, "test")),
            "both": list(slake.load(root, "train", language="both")),
        }
    )
    overlaps = {(pair["in"], pair["of"]): pair["images"]["count"] for pair in mixed["leakage"]}
    assert overlaps["captions", "test"] == 0
    assert overlaps["test", "both"] > 0
