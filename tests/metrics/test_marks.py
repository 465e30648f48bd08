# ruff: noqa: RUF001, E501
"""Right answers that are written otherwise, and wrong ones that look alike: what each metric of ours says.

By hand: a mark that carries no meaning never decides, a sign that does always does.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.metrics.closed import closed_accuracy
from pefomed.metrics.exact_match import exact_match, exact_match_vqa
from pefomed.metrics.normalise import vqa_style
from pefomed.metrics.overlap import token_f1, token_precision, token_recall
from pefomed.metrics.words import words
from pefomed.metrics.writing import cleaned

# reference, answer, exact match, recall, precision
OPEN = [
    ("X-ray", "Xray", False, 1, 1),
    ("X-ray", "x ray", False, 1, 1),
    ("X-Ray", "X\u2011ray", True, 1, 1),
    ("2.5 cm", "2.5cm", False, 1, 1),
    ("2,5 cm", "2.5 cm", False, 1, 1),
    ("two", "2", False, 1, 1),
    ("0", "none", False, 1, 1),
    ("Liver, Spleen", "Spleen, Liver", False, 1, 1),
    ("Liver, Spleen", "liver and spleen", False, 1, 2 / 3),
    ("Crohn's disease", "Crohn\u2019s disease", True, 1, 1),
    ("no effusion", "effusion", False, 1 / 2, 1),
    ("<5 mm", "&lt;5 mm", True, 1, 1),
    ("肺", "肺。", False, 1, 1),
    ("左肺", "左 肺", False, 1, 1),
    ("caf\u00e9", "cafe\u0301", True, 1, 1),
    ("A", "the", False, 0, 0),
    ("T2 weighted", "T2-weighted", False, 1, 1),
    ("non-contrast", "non contrast", False, 1, 1),
    ("-1", "1", False, 0, 0),
    ("1:2", "12", False, 0, 0),
    ("left lung", "", False, 0, 0),
    ("\ufb01brosis", "fibrosis", True, 1, 1),
    ("β-thalassemia", "β thalassemia", False, 1, 1),
    ("Straße", "STRASSE", True, 1, 1),
]


@pytest.mark.parametrize(("reference", "answer", "exact", "recall", "precision"), OPEN)
def test_open(reference: str, answer: str, exact: bool, recall: float, precision: float) -> None:
    assert exact_match(reference, answer) is exact
    assert token_recall(reference, answer) == pytest.approx(recall)
    assert token_precision(reference, answer) == pytest.approx(precision)


@pytest.mark.parametrize(
    "answer",
    [
        "Yes", "Yes.", "yes!", "**Yes**", "*Yes*", "__Yes__", "_yes_", "`Yes`", "```\nyes\n```", "# Yes", "- Yes",
        "* yes", "'Yes'", "“Yes”", "‘Yes’", "«Yes»", "Yes…", "Yes—", "(Yes)", "[Yes]", "<p>Yes</p>", "<b>Yes</b>.",
        "&quot;Yes&quot;", "&lt;p&gt;Yes&lt;/p&gt;", "\ufeffYes", "\u200bY\u00ades", "\u00a0Yes\u00a0", "ＹＥＳ", "Yes\ufe0f",
        "[Yes](https://example.org)", "**Yes", "> Yes", "Answer: Yes", "\\*Yes\\*", "<br/>Yes<br>",
    ],
)  # fmt: skip
def test_marks_around_a_word_do_not_matter(answer: str) -> None:
    assert closed_accuracy("Yes", answer)
    assert token_recall("Yes", answer) == 1
    assert not closed_accuracy("No", answer)


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("No", "No, it appears normal.", True),
        ("No", "It is normal", False),  # says neither
        ("Yes", "Yes, not no.", True),
        ("yes", "**Yes**", True),
        ("yes", "Yes.", True),
        ("yes", "Yes: there is", True),
        ("yes", "**Yes**, there is one", True),
        ("yes", "Yes—a mass", True),
        ("no", "“No”", True),
        ("no", "No…", True),
        ("yes", "Yes. No other lesion.", True),
        ("no", "Yes. No other lesion.", False),
        ("no", "No. Yes would be wrong.", True),
        ("no", "No.It is clear", True),
        ("yes", "The answer is: **yes**. There is no other lesion.", True),
        ("yes", "Final answer: Yes, no doubt", True),
        ("yes", "Assistant: Yes, no mass", True),
        ("yes", "Sure! Yes, no mass", True),
        ("yes", "It is: yes, not no", True),
        ("yes", "Yes/No: Yes", True),
        ("no", "Yes/No: Yes", False),
        ("yes", "> Yes, no other", True),
        ("yes", "1. Yes. No other lesion.", True),
        ("no", "Yes: no doubt", False),
        ("yes", "Yes: no doubt", True),
        ("yes", "yes or no", False),
        ("no", "Yes/No", False),
        ("yes", "Yes and no", False),
        ("yes", "yes no", False),
        ("no", "No evidence of it", True),
        ("no", "There is no effusion", True),
        ("yes", "There is no effusion", False),
        ("no", "normal", False),
        ("no", "Unknown", False),
        ("yes", "eyes", False),
        ("yes", "", False),
        ("", "", False),
        ("left", "It is the left.", True),
        ("left", "not left", False),
        ("left", "It is not left but right", False),
        ("right", "It is not left but right", True),
        ("A", "the", False),
        ("+", "-", False),
        # Chinese, as the closed questions of SLAKE are answered
        ("不是", "不", True),
        ("是", "不是", False),
        ("是的", "是", True),
        ("是", "否", False),
        ("否", "不是。", True),
        ("有", "没有", False),
        ("没有", "没有异常", True),
        ("没有", "图中没有异常", True),
        ("有", "图中没有异常", False),
        ("有", "有,在左肺", True),
        ("包含", "不包含", False),
        ("不包含", "不包含。", True),
        ("是", "是否", False),
        ("有", "有没有", False),
        ("正常", "不正常", False),
        ("不正常", "正常", False),
        ("肺", "心脏", False),
        ("左侧", "在左侧。", True),
        ("不是", "不正常", False),  # neither
        ("不是", "No.", True),
        # the reference's language decides what is yes and no
        ("ja", "Ja. Nein wäre falsch.", True),
        ("nein", "Ja. Nein wäre falsch.", False),
        ("non", "Non, l'image est normale.", True),
        ("no", "Non-contrast CT", False),
        ("нет", "Нет, выпота нет", True),
        ("да", "Нет", False),
    ],
)
def test_closed(reference: str, answer: str, right: bool) -> None:
    assert closed_accuracy(reference, answer) is right


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<5 mm", ">5 mm"), ("< 5 mm", "> 5 mm"), ("≤5", "<5"), ("5", "<5"), ("-600", "600"), ("- 600", "600"),
        ("−600", "600"), ("1:2", "12"), ("1:2", "2:1"), ("1/2", "2/1"), ("½", "2"), ("1½", "11/2"), ("10⁶", "106"),
        ("10<sup>6</sup>", "106"), ("2.5", "25"), ("1,000", "1.000"), ("+", "-"), ("++", "+"), ("(+)", "(-)"),
        ("ER+", "ER-"), ("ER+", "ER"), ("ER-", "ER"), ("A", "the"), ("A", "B"), ("hepatitis A", "hepatitis"),
        ("2 cm", "2 mm"), ("50 %", "50"), ("L4", "L5"), ("Grade I", "Grade II"), ("↑", "↓"), ("café", "cafe"),
        ("肺", "心脏"), ("да", "нет"), ("?", "-"), ("3-5 mm", "35 mm"),
    ],
)  # fmt: skip
def test_what_carries_meaning_is_kept(one: str, other: str) -> None:
    assert not exact_match(one, other)
    assert token_f1(one, other) < 1
    assert not closed_accuracy(one, other)
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- 600 HU", "−600 HU"), ("5×3 cm", "5 x 3 cm"), ("< 5 mm", "<5mm"), ("1,000", "1000"), ("1 : 2", "1:2"),
        ("cm²", "cm^2"), ("U.S.", "US"), ("dont know", "don't know"), ("X-Rays", "x rays"), (".5", "0.5"),
        ("3–5 mm", "3-5 mm"), ("<= 5", "≤5"), ("हृदय।", "हृदय"),
    ],
)  # fmt: skip
def test_the_same_said_otherwise(one: str, other: str) -> None:
    assert token_f1(one, other) == 1


MARKED = st.text(
    alphabet="Yn os<>/p&lt;*_`#-+\u2011\u200b\u00df\ufb01\u0130\u0301\u00bd\u2076肺。1,.'’", max_size=14
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(MARKED, st.text(max_size=20)))
def test_cleaning_is_done_at_once_and_a_text_that_shows_something_has_words(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)
    assert words(cleaned(text)) == words(text) or "-" in text  # `ER-` is told by its capitals
    assert bool(words(text)) == bool(cleaned(text))
    assert exact_match(text, text) is bool(cleaned(text))


def test_the_official_list_stays_as_it_is() -> None:
    # It knows no Markdown, no curly quote and no U+2011; `:` is not among its marks.
    assert not exact_match_vqa("Yes", "**Yes**")
    assert not exact_match_vqa("X-ray", "X\u2011ray")
    assert vqa_style("1:2") == "1:2"
    assert exact_match_vqa("-1", "1")
