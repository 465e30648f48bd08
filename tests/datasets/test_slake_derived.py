from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed.datasets import load_samples, slake, slake_derived
from pefomed.datasets.derived.slake_labels import own_questions, plain, slake_pictures
from pefomed.errors import DataError
from pefomed.recipe import Dataset

WriteJson = Callable[[Path, Any], Path]

RECORD = {
    "img_name": "xmlab1/source.jpg", "question": "Where is the liver?", "answer": "Left", "q_lang": "en",
    "location": "Abdomen", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa", "qid": 1,
    "content_type": "Position",
}  # fmt: skip
LUNG = {**RECORD, "location": "Lung", "modality": "X-Ray", "question": "Is the lung healthy?", "answer": "No"}
# Image number, record, boxes in an image of 100 x 100: x, y, width, height.
IMAGES = (
    (1, RECORD, [{"Liver": [10, 40, 30, 20]}, {"Spleen": [70, 45, 10, 10]}]),
    (
        2,
        RECORD,
        [{"Liver": [10, 40, 30, 20]}, {"Left Kidney": [60, 60, 9, 9]}, {"Right Kidney": [30, 60, 9, 9]}],
    ),
    (3, RECORD, [{"Liver": [10, 10, 30, 20]}]),
    (4, LUNG, [{"Nodule": [70, 70, 5, 5]}]),
    (5, LUNG, [{"Nodule": [20, 20, 5, 5]}]),
)


@pytest.fixture
def root(tmp_path: Path, write_json: WriteJson) -> Path:
    rows = []
    for number, record, boxes in IMAGES:
        name = f"xmlab{number}/source.jpg"
        rows.append({**record, "img_name": name, "qid": number})
        write_json(tmp_path / f"imgs/xmlab{number}/detection.json", boxes)
        Image.new("L", (100, 100), number).save(tmp_path / "imgs" / name)
    write_json(tmp_path / "train.json", rows)
    return tmp_path


def answers(root: Path, question: str) -> dict[int, str]:
    """The answers to a question by the image's number, everything asked in every wording."""
    found = slake_derived.load(
        root, "train", kinds=tuple(slake_derived.KINDS), own="kept", balance=False, wordings=9
    )
    return {
        int(Path(sample.images[0]).parent.name.removeprefix("xmlab")): sample.reference
        for sample in found
        if sample.question == question
    }


def test_organs_are_where_they_are_in_the_image(root: Path) -> None:
    # Centres .25, .5 and .25, .2.
    assert answers(root, "Where is the liver?") == {1: "Left", 2: "Left", 3: "Upper Left"}
    # The left kidney is on the right of the image.
    assert answers(root, "Where is the left kidney?") == {2: "Lower Right"}
    assert answers(root, "What is the rightmost organ in this image?") == {1: "Spleen", 2: "Left Kidney"}
    assert answers(root, "Which is smaller in this image, liver or spleen?") == {1: "Spleen"}


def test_diseases_are_where_they_are_in_the_patient(root: Path) -> None:
    # On the right of the image, at .725 of its height, and on its left, at .225.
    assert answers(root, "Where is the nodule in the lung?") == {4: "Lower Left Lung", 5: "Upper Right Lung"}
    in_image = answers(root, "Where is/are the abnormality located?")
    assert in_image == {4: "Left Lung, Lower Right", 5: "Right Lung, Upper Left"}
    assert answers(root, "Which side of lung is abnormal in this image?") == {4: "Left", 5: "Right"}
    assert answers(root, "What disease is/are shown on the left of lung?") == {4: "Pulmonary Nodule"}
    question = "Can nodule be observed on the lower left lung in this picture?"
    assert answers(root, question) == {4: "Yes"}
    assert answers(root, question.replace("lower left", "upper left")) == {4: "No", 5: "No"}
    assert answers(root, question.replace("lower left", "upper right")) == {5: "Yes"}


def test_absent_is_what_is_known_to_be_absent(root: Path) -> None:
    # Where the liver alone is labelled, nothing is known of other organs; of lungs' images nothing of these.
    assert answers(root, "Does the picture contain spleen?") == {1: "Yes", 2: "No"}
    assert answers(root, "How many kidneys in this image?") == {1: "0", 2: "2"}


def test_what_slake_asks_itself_is_left_out(root: Path) -> None:
    asked = {
        (sample.images[0], sample.question)
        for sample in slake_derived.load(root, "train", balance=False, wordings=9)
    }
    own = {(sample.images[0], sample.question) for sample in slake.load(root, "train")}
    assert own
    assert not asked & own
    assert (str(root / "imgs/xmlab1/source.jpg"), "Where is the liver in this image?") in asked


@pytest.mark.parametrize("split", ["validate", "test", "validation"])
def test_only_training_images_are_asked_about(root: Path, split: str) -> None:
    with pytest.raises(DataError, match="for training alone"):
        load_samples(Dataset(loader="slake_derived", root=str(root)), split)


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Path:
    import os

    named = os.environ.get("PEFOMED_DATA")
    if not named or not (Path(named) / "slake").is_dir():
        pytest.skip("the real data is not at hand: PEFOMED_DATA has no folder slake")
    return Path(named) / "slake"


def test_published_questions(published: Path) -> None:
    samples = list(slake_derived.load(published, "train"))
    trained = {sample.images[0] for sample in slake.load(published, "train")}
    assert {sample.images[0] for sample in samples} <= trained
    # Whoever knows all questions and their commonest answers is right about no more than half of them.
    guessed: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for sample in samples:
        guessed[sample.question][sample.reference] += 1
        kinds[sample.meta["derived"], sample.meta["answer_type"]][sample.reference] += 1
    assert sum(max(counts.values()) for counts in guessed.values()) <= 0.55 * len(samples)
    for (_, closed), counts in kinds.items():
        most = max(counts.values()) / counts.total()
        assert most <= 0.51 if closed == "CLOSED" else most <= 0.5
    assert len(samples) > 6000


def test_they_agree_with_slakes_own_answers(published: Path) -> None:
    """Where SLAKE asks the same of the same image: 1,484 of 1,538 answers are equal; sides never differ."""
    own = own_questions(published, "train")
    right: Counter[str] = Counter()
    both: Counter[str] = Counter()
    opposite = []
    for fact in slake_derived.slake_facts(slake_pictures(published, "train")):
        for question in fact.questions:
            theirs = own.get((fact.image, plain(question)))
            if theirs:
                both[fact.kind] += 1
                right[fact.kind] += plain(fact.answer) in theirs
                ours = plain(fact.answer).split()
                for one, other in (("left", "right"), ("right", "left")):
                    if ours[:1] == [one] and all(text.split()[:1] == [other] for text in theirs):
                        opposite.append((fact.image, question))
    assert (right.total(), both.total()) == (1484, 1538)
    for kind in ("there", "count", "largest", "outermost", "disease_there", "observed", "modality", "plane"):
        assert right[kind] == both[kind] > 0, kind
    # xmlab1: the training answer says that this liver is on the right; its box is on the left.
    assert [Path(image).parent.name for image, _ in opposite] == ["xmlab1"]
