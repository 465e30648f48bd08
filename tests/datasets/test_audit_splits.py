"""What splits share besides equal images: patients, pictures that look alike, answers distributed alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.audit.answers import answer_shift
from pefomed.audit.audit import audit
from pefomed.audit.finding import evenly, some_examples
from pefomed.audit.groups import shared_groups
from pefomed.audit.leakage import PAIRS
from pefomed.audit.show_pairs import pair_sheet, picture_pairs
from pefomed.datasets import slake
from pefomed.samples.question_hash import shown_hash
from pefomed.schema import Sample

Make = Callable[..., Sample]


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str, int], Path]:
    """Write a smooth picture, in the format that its name says."""

    def write(name: str, seed: int) -> Path:
        small = np.random.default_rng(seed).integers(0, 256, (9, 9), dtype=np.uint8)
        image = Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC).convert("RGB")
        image.save(tmp_path / name)
        return tmp_path / name

    return write


def test_a_picture_saved_again_is_near_and_an_equal_one_is_not_told_twice(
    make_sample: Make, draw: Callable[[str, int], Path], tmp_path: Path
) -> None:
    train = [make_sample(f"a{seed}", draw(f"{seed}.png", seed)) for seed in range(4)]
    again, equal, new = draw("again.jpg", 1), draw("equal.bmp", 2), draw("new.png", 9)
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    test = [
        make_sample("b", again, "one?"),
        make_sample("c", again, "two?"),
        make_sample("d", equal),
        make_sample("e", new),
        make_sample("f", tmp_path / "black.png"),
    ]
    result = audit({"train": train, "test": test}, cache=tmp_path / "cache")
    [pair] = result["leakage"]
    # What each picture held is said as an answer says it, so that a report knows the pictures again.
    [twin] = pair["images"]["examples"]
    assert (twin["image"], twin["same_as"]) == (str(equal), train[2].images[0])
    assert twin["shown"] == [shown_hash(train[2]), shown_hash(test[2])]
    near = pair["near_images"]
    assert (near["count"], near["of"], near["samples"], near["of_samples"], near["empty"]) == (1, 4, 2, 5, 1)
    [example] = near["examples"]
    assert (example["image"], example["like"]) == (str(again), train[1].images[0])
    assert 1 >= example["correlation"] >= 0.99
    text = " ".join(result["summary"])
    assert "1 of 4 images of test (2 of its 5 samples) look like one of train without being equal." in text
    assert "1 image of test shows nothing that could be compared." in text
    assert json.loads(json.dumps(result)) == result
    pairs = list(picture_pairs(result))
    assert [(Path(pair.images[0]).name, Path(pair.images[1]).name) for pair in pairs] == [
        ("2.png", "equal.bmp"),
        ("1.png", "again.jpg"),
    ]
    page = pair_sheet({"mine": result}, tmp_path / "pairs.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 2
    assert page.count("data:image/jpeg;base64,") == 4
    assert "of 256 bits differ" in page
    assert "2 of the 2 pairs" in page


def patients(make_sample: Make, *rows: dict[str, str]) -> list[Sample]:
    return [make_sample(f"{i}", "none.png", meta=row) for i, row in enumerate(rows)]


def test_patients_and_studies_of_two_splits(make_sample: Make) -> None:
    train = patients(
        make_sample,
        {"Patient ID": "p1", "study": "1"},
        {"Patient ID": "p1", "study": "2"},
        {"Patient ID": "p2", "study": "1"},
    )
    test = patients(
        make_sample,
        {"Patient ID": "p1", "study": "3"},
        {"Patient ID": "p1", "study": "1"},
        {"Patient ID": "p3", "study": "2"},  # the study of p1 has this number too
        {"Patient ID": " ", "study": ""},
    )
    found = shared_groups(train, test)
    assert found["Patient ID"] == {"of": 2, "count": 1, "examples": ["p1"], "samples": 2, "without": 1}
    assert found["study"] == {"of": 3, "count": 1, "examples": ["p1 1"], "samples": 1, "without": 1}
    assert shared_groups(train, test, ["ward"]) == {}
    assert shared_groups(train, patients(make_sample, {"view": "PA"})) == {}


def test_ids_of_ones_own_are_compared_if_named(make_sample: Make) -> None:
    train, test = patients(make_sample, {"ward": "7"}), patients(make_sample, {"ward": "7"})
    [pair] = audit({"train": train, "test": test}, ids=["ward"])["leakage"]
    assert pair["groups"]["ward"]["count"] == 1
    [pair] = audit({"train": train, "test": test}, ids=["ward"], one_data_set=False)["leakage"]
    assert "groups" not in pair
    assert "answers" not in pair


def answers(make_sample: Make, *texts: str, **more: object) -> list[Sample]:
    return [make_sample(f"{i}", f"{i}.png", "q?", text, **more) for i, text in enumerate(texts)]


def test_total_variation_of_answers(make_sample: Make) -> None:
    # yes 3/4 and 1/4, no 1/4 and 1/4, left 0 and 1/2: (1/2 + 0 + 1/2) / 2.
    found = answer_shift(
        answers(make_sample, "yes", "Yes", "yes ", "no"), answers(make_sample, "yes", "no", "left", "left")
    )["answers"]
    assert (found["n"], found["values"], found["distance"]) == ([4, 4], 3, 0.5)
    assert {row["value"]: (row["in"], row["of"]) for row in found["moved"]} == {
        "yes": (0.75, 0.25),
        "left": (0.0, 0.5),
    }


def test_chance_says_which_distance_means_something(make_sample: Make) -> None:
    rng = np.random.default_rng(0)
    many = [f"answer {number}" for number in rng.integers(0, 150, 600)]
    alike = answer_shift(answers(make_sample, *many[:400]), answers(make_sample, *many[400:]))["answers"]
    # With 150 answers to 200 questions even equal distributions are far apart.
    assert alike["distance"] > 0.2
    assert alike["by_chance"] == pytest.approx(alike["distance"], abs=0.06)
    other = answer_shift(
        answers(make_sample, *["yes", "no"] * 100), answers(make_sample, *["yes", "no", "no"] * 40)
    )["answers"]
    # |1/2 - 1/3|, by chance about sqrt(1/200 + 1/120) / 2 * sqrt(2 / pi) = 0.05
    assert other["distance"] == pytest.approx(1 / 6, abs=1e-4)
    assert other["by_chance"] == pytest.approx(0.05, abs=0.015)
    assert other["distance"] > other["chance_high"]


def test_images_are_dealt_whole(make_sample: Make) -> None:
    # Ten images with twenty equal answers each: dealt one by one the answers would hardly differ.
    def split(*words: str) -> list[Sample]:
        return [
            make_sample(f"{word}-{i}-{j}", f"{word}-{i}.png", "q?", word)
            for i, word in enumerate(words)
            for j in range(20)
        ]

    found = answer_shift(split(*["yes", "no"] * 5), split("yes", "yes", "no"))["answers"]
    assert found["by_chance"] > 0.15


def test_answer_types_and_long_texts_apart(make_sample: Make) -> None:
    def both(closed: str, opened: str, report: str) -> list[Sample]:
        return [
            make_sample("c", "1.png", "q?", closed, meta={"answer_type": "CLOSED"}),
            make_sample("o", "1.png", "q?", opened, meta={"answer_type": "OPEN "}),
            Sample(id="r", images=("2.png",), task="report", reference=report),
            Sample(id="b", images=("2.png",), task="refer", question="heart"),
        ]

    found = answer_shift(both("yes", "left", "No effusion."), both("no", "left", "no mass"))
    assert {name: each["distance"] for name, each in found.items()} == {
        "answers": 0.5,
        "closed answers": 1.0,
        "open answers": 0.0,
        "words": 0.5,  # no 1/2 and 1/2, effusion 1/2 and 0, mass 0 and 1/2
    }
    assert answer_shift([], both("yes", "left", "none")) == {}


def test_examples_at_even_steps() -> None:
    assert evenly(range(11), 3) == [0, 5, 10]
    assert evenly([1, 2], 5) == [1, 2]
    assert some_examples(iter(range(100)), 2) == {"count": 100, "examples": [0, 99]}


def test_slakes_splits_share_patients(real_data: Path) -> None:
    """The English splits share no image, but slices of one scan: all pairs shown were looked at."""
    splits = {split: list(slake.load(real_data / "slake", split)) for split in ("train", "test")}
    [pair] = audit(splits)["leakage"]
    near = pair["near_images"]
    assert (near["count"], near["of"], near["samples"]) == (22, 96, 224)
    assert len(near["examples"]) <= PAIRS
    assert pair["answers"]["answers"]["distance"] < pair["answers"]["answers"]["chance_high"]
