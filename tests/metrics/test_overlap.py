import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.metrics.closed import closed_accuracy
from pefomed.metrics.overlap import (
    llava_med_recall,
    token_f1,
    token_precision,
    token_recall,
)

TEXTS = st.lists(st.sampled_from("left right lung no yes the two".split()), max_size=6).map(" ".join)


@pytest.mark.parametrize(
    ("reference", "answer", "recall", "precision", "f1", "llava"),
    [
        ("left lung", "the left lung.", 1, 1, 1, 1),
        # Fault of earlier code: the two swapped. A long answer recalls all and is imprecise.
        ("left", "in the left upper lobe", 1, 1 / 4, 2 / 5, 1),
        ("left upper lobe", "left", 1 / 3, 1, 1 / 2, 1 / 3),
        ("left lung", "lung lung lung", 1 / 2, 1 / 3, 2 / 5, 3 / 4),
        ("lung lung", "lung", 1 / 2, 1, 2 / 3, 1),  # LLaVA-Med sees nothing lacking
        ("x-ray", "X ray", 1, 1, 1, 1),
        ("2", "two nodules", 1, 1 / 2, 2 / 3, 1),
        ("a", "A", 1, 1, 1, 1),  # an article alone stays
        ("left", "", 0, 0, 0, 0),
        ("", "left", 0, 0, 0, 0),
        ("", "", 0, 0, 0, 0),
    ],
)
def test_by_hand(
    reference: str, answer: str, recall: float, precision: float, f1: float, llava: float
) -> None:
    assert token_recall(reference, answer) == pytest.approx(recall)
    assert token_precision(reference, answer) == pytest.approx(precision)
    assert token_f1(reference, answer) == pytest.approx(f1)
    assert llava_med_recall(reference, answer) == pytest.approx(llava)


@given(TEXTS, TEXTS)
def test_recall_of_one_is_precision_of_the_other_and_f1_their_harmonic_mean(one: str, other: str) -> None:
    recall, precision = token_recall(one, other), token_precision(one, other)
    assert recall == token_precision(other, one)
    assert 0 <= token_f1(one, other) <= 1
    if recall + precision:
        assert token_f1(one, other) == pytest.approx(2 * recall * precision / (recall + precision))
    assert llava_med_recall(one, other) >= recall


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("yes", "Yes, there is.", True),
        ("yes", "Yes and no", False),
        ("no", "normal", False),  # a word, not letters: LLaVA-Med's code finds `no` in `normal`
        ("no", "No.", True),
        ("yes", "no", False),
        ("left lung", "It is the left lung", True),
        ("left lung", "left upper lung", False),
        ("yes", "", False),
        ("", "", False),
        # A reference in a sentence that begins with its yes or no.
        ("Yes, there is a mass.", "Yes", True),
        ("Yes, there is a mass.", "yes, it is", True),
        ("Yes, there is a mass.", "No", False),
        ("Yes there is", "Yes.", True),
        ("No. There is no fracture.", "no", True),
        ("No - the heart is normal", "Yes", False),
        ("Nein, kein Erguss", "Nein.", True),
        ("是的\uff0c有肿块", "有", True),
        # These may be one of two choices, a number, or the answers to two questions.
        ("No finding", "no", False),
        ("No. 3", "No", False),
        ("Yes, no", "Yes", False),
        ("Yes or no", "Yes", False),
    ],
)
def test_closed_accuracy(reference: str, answer: str, right: bool) -> None:
    assert closed_accuracy(reference, answer) is right
