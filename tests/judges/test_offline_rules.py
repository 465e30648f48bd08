"""What words alone decide: the paper's patterns are right, and nothing that excludes is called equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.judges.calibration import OURS, PAPER, Known
from pefomed.judges.offline_rules import decide
from pefomed.judges.offline_vocabulary import CLASSES
from pefomed.judges.offline_words import taken_apart


@pytest.mark.parametrize("known", PAPER, ids=lambda known: known.pair.reference)
def test_the_papers_patterns_are_right_by_rule(known: Known) -> None:
    pair = known.pair
    found = decide(pair.question, pair.reference, pair.answer)
    assert found is not None
    assert found.label == 1


@pytest.mark.parametrize("known", OURS, ids=lambda known: known.pair.answer)
def test_their_counterparts_are_never_right_by_rule(known: Known) -> None:
    pair = known.pair
    found = decide(pair.question, pair.reference, pair.answer)
    assert found is None or found.label == 0


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("Which lung?", "left lung", "right lung"),
        ("Which lung?", "left lung", "lung"),
        ("Which lung?", "lung", "left lung"),
        ("Where is it?", "right lung, left", "left lung, right"),
        ("Where is it?", "upper left", "lower left"),
        ("Is there a mass?", "yes", "no"),
        ("Is there a mass?", "no", "a mass in the left lung"),
        ("Is there a mass?", "yes", "there is no mass"),
        ("Is there a mass?", "yes", "yes and no"),
        ("Is there a mass?", "yes", "What is the answer to this question?"),
        ("Is there a mass?", "yes", "Question: A: B:"),
        ("Is there a mass?", "yes", "2019-01-22 23:22:12"),
        ("Is there a mass?", "yes", "the liver"),
        ("Is there a mass?", "yes", "is there a mass?"),
        ("Is there a mass?", "yes", "not clear, perhaps no mass"),
        ("Does it contain liver?", "yes", "it does contain spleen"),
        ("Does it contain liver?", "yes", "[vqa] No, it does not contain liver. [/vqa]"),
        ("Is it left or right?", "left", "yes"),
        ("How many lungs?", "2", "3"),
        ("How many lungs?", "two", "one"),
        ("How large?", "1.5 cm", "15 cm"),
        ("Which modality?", "CT", "MRI"),
        ("Which weighting?", "T1", "T2"),
        ("Which plane?", "axial", "coronal"),
        ("How dense?", "hyperdense", "hypodense"),
        ("What is it?", "enhancing tumor", "non-enhancing tumor"),
        ("What is it?", "mass", "no mass"),
        ("What is it?", "benign tumor", "malignant tumor"),
        ("Which bowel?", "small bowel", "large bowel"),
        ("Which organ?", "liver", "liver, heart"),
        ("Which organs?", "liver, heart", "liver"),
        ("Which side, left or right?", "left kidney", "kidney"),
        ("What is seen?", "liver", ""),
        ("What diseases?", "none", "pneumonia"),
    ],
)
def test_what_excludes_each_other_is_wrong(question: str, reference: str, answer: str) -> None:
    found = decide(question, reference, answer)
    assert found is not None
    assert found.label == 0


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("Which modality?", "MRI", "magnetic resonance imaging"),
        ("Which modality?", "X-Ray", "This is an x ray."),
        ("Which modality?", "x-ray", "X-ray of the chest"),
        ("Which modality?", "CT", "CT scan"),
        ("Which plane?", "Transverse Plane", "axial"),
        ("Which weighting?", "T2", "T2-weighted MRI"),
        ("Which organs?", "Colon, small bowel", "small bowel and colon"),
        ("Which organ?", "kidneys", "kidney"),
        ("What is it?", "cardiomegaly", "The heart is enlarged"),
        ("Which lungs?", "left and right lungs", "both lungs"),
        ("How many?", "2", "two"),
        ("Is there a mass?", "no", "There is no mass."),
        ("Is there a mass?", "yes", "yes, in the left lung"),
        ("What diseases?", "None", "no abnormalities"),
        ("Which lobe of the right lung?", "right lower lobe", "lower lobe"),
        ("What is it?", "effusion", "pleural effusion"),
    ],
)
def test_the_same_in_other_words_is_right(question: str, reference: str, answer: str) -> None:
    found = decide(question, reference, answer)
    assert found is not None
    assert found.label == 1


def test_what_a_thing_is_stands_last() -> None:
    # liver cancer is no liver: not for the rules to call right
    assert decide("Which organ?", "liver", "liver cancer") is None


WORDS = st.sampled_from([word for words in CLASSES.values() for word in words])


@given(st.sampled_from(sorted(CLASSES)), st.sampled_from(["", "lung ", "the "]), st.data())
def test_two_words_of_a_class_are_never_equal(name: str, before: str, data: st.DataObject) -> None:
    words = st.sampled_from(sorted(CLASSES[name]))
    one, other = data.draw(words), data.draw(words)
    found = decide("Which one?", before + one, before + other)
    if taken_apart(one) != taken_apart(other):
        assert found is not None
        assert found.label == 0


@given(st.text(alphabet="abcdef ,.-0123456789", max_size=30).filter(lambda text: text.strip(" ,.-")))
def test_a_text_is_always_equal_to_itself(text: str) -> None:
    found = decide("What?", text, text.upper())
    assert found is not None
    assert found.label == 1
