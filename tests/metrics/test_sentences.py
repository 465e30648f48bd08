"""Which answers exact match says nothing of."""

from __future__ import annotations

import pytest

from pefomed.metrics.exact_match import exact_match_vqa
from pefomed.metrics.sentences import in_sentences

SPOKEN = "Yes, there is a mass in the liver."


@pytest.mark.parametrize(
    ("references", "answers", "expected"),
    [
        (["yes", "no"], ["Yes", "no"], False),
        (["yes", "no"], [SPOKEN, "No, there is none of it."], True),
        # Half of them are enough, a third is not.
        (["yes", "no"], [SPOKEN, "no"], True),
        (["yes", "no", "no"], [SPOKEN, "no", "no"], False),
        # Long references that are hit are no reason to look elsewhere.
        (["the lower lobe of the left lung"] * 2, ["The lower lobe of the left lung"] * 2, False),
        (["the lower lobe of the left lung"] * 2, ["It is in the upper lobe of the right lung"] * 2, True),
        # Chinese is written without spaces: ten characters are no single word, two are.
        (["是"], ["是的,图像显示肝脏中有肿块"], True),
        (["肝脏"], ["心脏"], False),
        ([], [], False),
        (["yes"], [""], False),
    ],
)
def test_sentences(references: list[str], answers: list[str], expected: bool) -> None:
    right = [exact_match_vqa(*pair) for pair in zip(references, answers, strict=True)]
    assert in_sentences(answers, right) is expected
