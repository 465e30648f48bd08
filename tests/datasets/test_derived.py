from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import LOADERS, card, load_samples, load_split
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.recipe.completed import TRAINING_ONLY, complete
from pefomed.schema import Sample

WriteJson = Callable[[Path, Any], Path]

# In images of 100 x 100: x, y, width, height. The mass is left, right and left, the rib always lower left.
BOXES = {
    "a": {"mass": [[10, 10, 20, 20]], "rib": [[10, 70, 20, 10]]},  # mass 400, rib 200 pixels
    "b": {"mass": [[70, 10, 5, 5]], "rib": [[10, 70, 20, 10]]},  # 25 and 200
    "c": {"mass": [[10, 10, 5, 5], [20, 10, 5, 5]]},
    "d": {},
}


@pytest.fixture
def root(tmp_path: Path, write_json: WriteJson) -> Path:
    (tmp_path / "images").mkdir()
    names = ("mass", "rib")
    images, boxes = [], []
    for number, (name, found) in enumerate(BOXES.items(), 1):
        Image.new("L", (100, 100), number).save(tmp_path / f"images/{name}.png")
        images.append({"id": number, "file_name": f"{name}.png", "width": 100, "height": 100})
        for label, places in found.items():
            boxes += [
                {"image_id": number, "category_id": names.index(label) + 1, "bbox": box} for box in places
            ]
    annotations = [{"id": number, **box} for number, box in enumerate(boxes)]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    for split in ("train", "val"):
        write_json(tmp_path / f"{split}.json", content)
    return tmp_path


def of_coco(root: Path, split: str = "train", **options: Any) -> list[Sample]:
    of = {"annotations": "{split}.json", "images": "images", "without": "categories"}
    made = Dataset(loader="derived", root=str(root), options={"of": "coco", "options": of, **options})
    return load_samples(made, split)


def asked(samples: list[Sample], start: str) -> Counter[tuple[str, str]]:
    """Image and answer of the questions that begin with `start`."""
    return Counter((Path(s.images[0]).stem, s.reference) for s in samples if s.question.startswith(start))


def test_boxes_become_answers(root: Path) -> None:
    all_of = of_coco(root, balance=False, wordings=9)
    # Centres: (.2, .2), (.725, .125); of c (.125, .125) and (.225, .125), both upper left.
    places = {("a", "upper left"), ("b", "upper right"), ("c", "upper left")}
    assert set(asked(all_of, "Where in the image is mass?")) == places
    assert set(asked(all_of, "Does the image show rib?")) == {
        ("a", "yes"),
        ("b", "yes"),
        ("c", "no"),
        ("d", "no"),
    }
    assert set(asked(all_of, "How many separate regions of mass")) == {
        ("a", "1"),
        ("b", "1"),
        ("c", "2"),
        ("d", "0"),
    }
    assert set(asked(all_of, "Which is larger in this image, rib or mass?")) == {("a", "mass"), ("b", "rib")}
    assert set(asked(all_of, "Is mass on the left side of the image?")) == {
        ("a", "yes"),
        ("b", "no"),
        ("c", "yes"),
    }
    assert set(asked(all_of, "Is rib in the upper half of the image?")) == {("a", "no"), ("b", "no")}
    # a: both at .2; b: mass at .725, rib at .2.
    assert set(asked(all_of, "Which is further to the left in this image, mass or rib?")) == {("b", "rib")}
    assert set(asked(all_of, "Which is higher up in this image, mass or rib?")) == {
        ("a", "mass"),
        ("b", "mass"),
    }
    assert set(asked(all_of, "What is on the lower left of the image?")) == {("a", "rib"), ("b", "rib")}


def test_no_answer_can_be_guessed_from_its_question(root: Path) -> None:
    found = of_coco(root, wordings=9)
    by_question: dict[str, Counter[str]] = {}
    for sample in found:
        by_question.setdefault(sample.question, Counter())[sample.reference] += 1
    assert all(2 * max(counts.values()) <= counts.total() for counts in by_question.values())
    # Two images show a rib and two do not; the mass is in three and not in one.
    assert by_question["Does the image show rib?"] == {"yes": 2, "no": 2}
    assert by_question["Does the image show mass?"] == {"yes": 1, "no": 1}
    # The rib is always lower left: that says nothing of an image.
    assert "Where in the image is rib?" not in by_question


def test_the_seed_draws_and_the_limits_hold(root: Path) -> None:
    def questions(**options: Any) -> list[tuple[str, str, str]]:
        return [(s.id, s.images[0], s.question) for s in of_coco(root, **options)]

    assert questions(seed=3) == questions(seed=3)
    assert any(questions(seed=0) != questions(seed=seed) for seed in range(1, 6))
    every = questions(balance=False)
    assert max(Counter(image for _, image, _ in questions(balance=False, per_image=3)).values()) == 3
    few = questions(balance=False, most=5)
    assert len(few) == 5
    assert set(few) <= set(every)
    assert len(questions(balance=False, wordings=2)) > len(every)
    assert {question for *_, question in questions(kinds=["count"], balance=False)} <= {
        f"{start} {name}{end}"
        for start, end in (
            ("How many separate regions of", " does the image show?"),
            ("In how many places of the image is", "?"),
        )
        for name in ("mass", "rib")
    }


def test_the_same_data_elsewhere_gives_the_same_questions(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "moved" / "deep"
    shutil.copytree(root / "images", other / "images")
    shutil.copy(root / "train.json", other)
    here, there = ([(s.id, s.question) for s in of_coco(folder)] for folder in (root, other))
    assert here == there


@pytest.mark.parametrize("split", ["validate", "val", "test", "Test", "dev", "val2017", "held-out", "test_a"])
def test_images_of_other_splits_are_never_asked_about(root: Path, split: str) -> None:
    with pytest.raises(DataError, match="for training alone"):
        of_coco(root, split)


def test_what_is_for_training_alone_is_known_everywhere() -> None:
    told = [name for name in LOADERS if (about := card(name)) and about.training_only]
    assert tuple(told) == TRAINING_ONLY
    raw = {"data": {"q": {"loader": "table"}, "looking": {"loader": "derived"}}}
    made = complete(raw, Path("my.toml"))
    assert made["stages"][0]["data"] == {"q": 1, "looking": 1}
    assert made["predict"]["data"] == {"q": "test"}


def test_other_loaders_boxes(tmp_path: Path) -> None:
    """Of any loader that yields `refer`: here phantoms, asked for it without being told."""
    made = Dataset(
        loader="derived", root=str(tmp_path), options={"of": "phantom", "options": {"train": 6, "size": 64}}
    )
    samples, left_out = load_split(made, "train")
    assert samples
    assert not left_out
    assert {sample.task for sample in samples} == {"vqa"}
    assert len({sample.id for sample in samples}) == len(samples)


def test_what_has_no_boxes_is_an_error(tmp_path: Path) -> None:
    options = {"of": "phantom", "options": {"tasks": ["caption"], "train": 2, "size": 64}}
    with pytest.raises(DataError, match="gives no boxes"):
        load_samples(Dataset(loader="derived", root=str(tmp_path), options=options), "train")
    with pytest.raises(RecipeError, match="unknown loader 'cocoo'"):
        load_samples(Dataset(loader="derived", root=str(tmp_path), options={"of": "cocoo"}), "train")
