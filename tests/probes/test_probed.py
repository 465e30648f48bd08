"""Samples asked otherwise: which picture, which words, which boxes, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed.errors import DataError
from pefomed.probes.absent import asked_absent, is_denied
from pefomed.probes.english import reads_english
from pefomed.probes.known import probed
from pefomed.probes.mirror import mirrored
from pefomed.probes.paraphrase import check_wordings, paraphrased, read_wordings, reworded
from pefomed.probes.swap import swapped
from pefomed.schema import Box, Sample


def sample(name: str, image: str, question: str, reference: str = "", **fields: Any) -> Sample:
    values = {"id": name, "images": (image,), "task": "vqa", "question": question, "reference": reference}
    return Sample.model_validate(values | fields)


def of_kind(modality: str, location: str) -> dict[str, Any]:
    return {"meta": {"modality": modality, "location": location}}


def test_a_swapped_picture_is_of_the_kind_and_has_another_answer() -> None:
    chest, head = of_kind("CT", "Lung"), of_kind("MRI", "Brain_Tissue")
    samples = [
        sample("a", "1.png", "Is the heart enlarged?", "yes", **chest),
        sample("b", "2.png", "Is the heart enlarged?", "yes", **chest),
        sample("c", "3.png", "is the  heart enlarged?", "no", **chest),
        sample("d", "4.png", "Is the heart enlarged?", "no", **head),
    ]
    by = {one.id: one for one in swapped(samples).samples}
    # Of the three chests one has another answer; the head has one too, and is of another kind.
    assert by["a"].images == by["b"].images == ("3.png",)
    assert by["a"].reference == "no"
    assert by["a"].meta["swap_matched"] == "modality, location"
    assert by["a"].meta["swap_known"] == "yes"
    assert by["c"].images[0] in ("1.png", "2.png")
    assert by["c"].reference == "yes"
    # There is no second head: what is kept is loosened, to a picture of any kind with another answer.
    assert by["d"].images[0] in ("1.png", "2.png")
    assert by["d"].meta["swap_matched"] == "nothing"


def test_what_a_question_names_is_exchanged_not_kept() -> None:
    samples = [
        sample("a", "1.png", "Is this an MRI?", "no", **of_kind("CT", "Lung")),
        sample("b", "2.png", "Where is the mass?", "left", **of_kind("CT", "Lung")),
        sample("c", "3.png", "Where is the mass?", "right", **of_kind("MRI", "Lung")),
        sample("d", "4.png", "What modality is it?", "CT", **of_kind("CT", "Lung")),
        sample("e", "5.png", "Is it taken of the lungs?", "yes", **of_kind("CT", "Lung")),
        sample("f", "6.png", "Where is the mass?", "right", **of_kind("CT", "Abdomen")),
    ]
    by = {one.id: one for one in swapped(samples).samples}
    assert by["d"].images == ("3.png",)  # the only lung that is no CT
    assert by["d"].meta["swap_matched"] == "location"
    assert by["e"].images == ("6.png",)  # the only CT that is no lung
    assert by["e"].meta["swap_matched"] == "modality"
    assert by["e"].meta["swap_known"] == "no"
    assert by["e"].reference == ""


def test_pictures_with_the_same_answer_alone_are_no_swap() -> None:
    same = [sample(str(n), f"{n}.png", "Is it a heart?", "yes") for n in range(3)]
    found = swapped(same)
    assert not found.samples
    [(reason, ids)] = found.left_out.items()
    assert "same answer" in reason
    assert ids == ["0", "1", "2"]


def test_a_copy_of_the_picture_is_no_other_picture(tmp_path: Path) -> None:
    from PIL import Image

    for name, grey in (("a", 10), ("b", 10), ("c", 90)):
        Image.new("RGB", (8, 8), (grey,) * 3).save(tmp_path / f"{name}.png")
    samples = [
        sample(name, str(tmp_path / f"{name}.png"), "Is it?", answer)
        for name, answer in (("a", "yes"), ("b", "no"), ("c", "no"))
    ]
    by = {one.id: one for one in swapped(samples).samples}
    assert by["a"].images == (str(tmp_path / "c.png"),)


def test_swapped_phrases_have_the_boxes_of_the_other_picture() -> None:
    box, other = Box(x0=0.1, y0=0.1, x1=0.2, y1=0.3), Box(x0=0.5, y0=0.5, x1=0.9, y1=0.9)
    samples = [
        sample("a", "1.png", "liver", task="refer", boxes=(box,), size=(10, 10)),
        sample("b", "2.png", "liver", task="refer", boxes=(other,), size=(20, 30)),
    ]
    one, _ = swapped(samples).samples
    assert (one.boxes, one.size) == ((other,), (20, 30))


def test_a_mirrored_sample_has_its_sides_exchanged() -> None:
    box = Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4)
    made = mirrored(
        [
            sample("a", "1.png", "Is the mass in the left lung?", "Right lung"),
            sample("b", "1.png#window=lung", "left lung", task="refer", boxes=(box,), size=(100, 50)),
            sample("c", "1.png", "Is it a CT?", "yes"),
        ]
    )
    first, second, _third = made.samples
    assert (first.images, first.question, first.reference) == (
        ("1.png#flip=x",), "Is the mass in the right lung?", "Left lung",
    )  # fmt: skip
    assert second.images == ("1.png#window=lung&flip=x",)
    assert second.question == "right lung"
    [turned] = second.boxes
    assert (turned.x0, turned.x1) == pytest.approx((0.7, 0.9))  # 1 - 0.3, 1 - 0.1
    assert (turned.y0, turned.y1) == (0.2, 0.4)
    assert [one.meta["names_side"] for one in made.samples] == ["yes", "yes", "no"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("肿块在哪一侧?", "language"),
        ("Welche Seite zeigt eine Verschattung?", "language"),
        ("Quel organe est visible sur cette image?", "language"),
        ("Is the RUL clear?", "sure"),
        ("Is this dextrocardia?", "sure"),
    ],
)
def test_words_whose_sides_are_not_known_are_left_out_and_said(question: str, said: str) -> None:
    found = probed("mirror", [sample("a", "1.png", question, "yes")])
    assert not found.samples
    [text] = found.said("mirror", "slake test")
    assert said in text
    assert "1 samples left out" in text


def test_a_data_set_that_says_its_language_is_believed() -> None:
    asked = [sample("a", "1.png", "Is it a mass?", "yes", meta={"language": "de"})]
    assert not probed("mirror", asked).samples
    assert not probed("paraphrase", asked).samples


@pytest.mark.parametrize(
    ("question", "wording"),
    [
        ("Does the picture contain a lung?", "Can a lung be seen in this image?"),
        ("Is there any pneumothorax present?", "Can pneumothorax be seen in this image?"),
        ("Where is/are the mass located?", None),
        ("Where is the mass located in this image?", "What is the location of the mass in this image?"),
        ("Where is the location of the mass?", "In this image, where is the location of the mass?"),
        ("How many kidneys are there in this image?", "What is the number of kidneys in this image?"),
        ("What is the main organ in the image?", "Name the main organ in the image."),
        ("Which organ is abnormal, heart or lung?", "What organ is abnormal, heart or lung?"),
        ("What organ system is imaged?", "Which organ system is imaged?"),
        ("Is the left kidney not normal?", "In this image, is the left kidney not normal?"),
        ("What image plane is this?", "In this image, what image plane is this?"),
        ("The image is taken in what plane?", "The picture is taken in what plane?"),
        ("Mass?", None),
    ],
)
def test_rules_say_questions_in_other_words(question: str, wording: str | None) -> None:
    found = reworded(question)
    assert found == wording if wording else found is None or found != question


def test_no_rule_drops_a_denial_or_a_side() -> None:
    for question in (
        "Is there no mass in the left lung?", "Are there fewer ribs on the right?", "Is it not a tumor?",
        "Does the image show no lesion on the left side?", "Where is the right kidney not visible?",
    ):  # fmt: skip
        new = reworded(question)
        if new:
            for word in ("no", "not", "left", "right", "fewer"):
                assert (f" {word} " in f" {question} ") == (f" {word} " in f" {new} "), (question, new)


def test_wordings_of_the_users_own(tmp_path: Path) -> None:
    asked = [sample("a", "1.png", "这是什么?", "肺"), sample("b", "1.png", "Is it?", "yes")]
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"a": "图中是什么?"}))
    found = paraphrased(asked, read_wordings(path))
    assert [(one.id, one.question) for one in found.samples] == [("a", "图中是什么?")]
    assert found.left_out == {"the file has no wording for it": ["b"]}
    path.write_text(json.dumps([{"id": "a", "question": "图中是什么?"}]))
    assert read_wordings(path) == {"a": "图中是什么?"}
    with pytest.raises(DataError, match=r"no predicted split has(?s:.*)zzz"):
        check_wordings({"zzz": "x"}, ["a", "b"], path)
    path.write_text(json.dumps({"a": " "}))
    with pytest.raises(DataError, match="a wording must be a text"):
        read_wordings(path)
    path.write_text(json.dumps([{"id": "a", "question": "x"}, {"id": "a", "question": "y"}]))
    with pytest.raises(DataError, match="may occur once"):
        read_wordings(path)
    path.write_text('"a"')
    with pytest.raises(DataError):
        read_wordings(path)


def test_names_that_a_picture_does_not_have_are_asked_for() -> None:
    box = (Box(x0=0.1, y0=0.1, x1=0.2, y1=0.3),)
    names = {"1.png": ["liver", "lung"], "2.png": ["liver"], "3.png": ["lung", "spleen"], "4.png": ["spleen"]}
    samples = [
        sample(f"{image}-{name}", image, name, task="refer", boxes=box, size=(9, 9))
        for image, all_names in names.items()
        for name in all_names
    ]
    made = asked_absent(samples).samples
    assert [one.images[0] for one in made] == list(names)
    for one in made:
        assert one.question not in names[one.images[0]]
        assert one.boxes == ()
        assert one.id.endswith("+absent")
    assert made[0].question == "spleen"  # the only one that it lacks
    # A loader that says itself what is not there is believed: nothing is made.
    absent = sample("x", "1.png", "spleen", task="refer", size=(9, 9))
    assert asked_absent([*samples, absent]).samples == []


def test_questions_whether_something_is_there() -> None:
    assert is_denied(sample("a", "1.png", "Does the picture contain lung?", "No"))
    assert is_denied(sample("a", "1.png", "Is there a mass?", "no"))
    assert not is_denied(sample("a", "1.png", "Is there a mass?", "yes"))
    assert not is_denied(sample("a", "1.png", "Is the lung healthy?", "no"))


def test_texts_are_not_probed() -> None:
    found = probed("swap", [sample("a", "1.png", "", "A chest.", task="caption")])
    assert not found.samples
    assert list(found.left_out) == ["texts are not probed"]


def test_english() -> None:
    assert reads_english("What is the organ?")
    assert reads_english("enlarged heart")
    assert not reads_english("Где находится образование?")
