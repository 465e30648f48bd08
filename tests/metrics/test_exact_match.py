import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.evaluation import exact_match, exact_match_vqa

TEXTS = st.text(alphabet="aAnthex ray-.,1'", max_size=8)


@pytest.mark.parametrize(
    ("reference", "prediction", "plain", "vqa"),
    [
        ("Yes", " yes ", True, True),
        ("yes", "no", False, False),
        ("x-ray", "X ray.", False, True),
        ("the left lung", "Left lung", False, True),
        ("2", "two", False, True),
        ("x-ray", "chest x-ray", False, False),  # a judge's case, not a match
        ("A", "a", True, True),  # a lettered answer, although it is an article
        ("A", "the", False, False),  # both empty after normalisation
        ("-", "?", False, False),
        ("yes", "", False, False),
        ("", "", False, False),  # an empty answer is never right
        ("yes", "the", False, False),
    ],
)
def test_known_pairs(reference: str, prediction: str, plain: bool, vqa: bool) -> None:
    assert exact_match(reference, prediction) is plain
    assert exact_match_vqa(reference, prediction) is vqa


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_symmetric_and_the_vqa_column_is_the_more_lenient(one: str, other: str) -> None:
    assert exact_match(one, other) == exact_match(other, one)
    assert exact_match_vqa(one, other) == exact_match_vqa(other, one)
    assert exact_match_vqa(one, other) or not exact_match(one, other)


@settings(deadline=None)
@given(TEXTS.filter(str.strip))
def test_an_answer_matches_itself(text: str) -> None:
    assert exact_match(text, text)
    assert exact_match_vqa(text, text)
