# ruff: noqa: E501
"""What two texts differ in is never lost before they are compared: signs, units, grades, letters, scripts."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pefomed.judges.embedding import Array, Embedder
from pefomed.judges.offline_conflicts import NOT_JUDGED
from pefomed.judges.offline_judge import OfflineJudge
from pefomed.judges.offline_language import bare_yes_or_no, is_english
from pefomed.judges.offline_rules import decide
from pefomed.judges.offline_text import key_of, readable
from pefomed.judges.offline_words import taken_apart
from pefomed.judges.prompts import JudgedPair
from pefomed.judges.thresholds import Thresholds


class AllAlike(Embedder):
    """Finds every text the same."""

    def __init__(self) -> None:
        pass

    def __call__(self, texts: object) -> Array:
        return np.ones((len(list(texts)), 1), np.float32)  # type: ignore[call-overload]


EASY = OfflineJudge(AllAlike(), Thresholds(0.5, (0.2, 0.4, 0.6, 0.8), {}))
"""The rules alone, with an embedding that calls right whatever is left to it."""


def label(question: str, reference: str, answer: str) -> int | None:
    return EASY(JudgedPair("binary", question, reference, answer))[0]


DIFFERENT = [
    ("\u80ba", "\u5fc3\u810f"), ("\u662f", "\u5426"), ("\u0434\u0430", "\u043d\u0435\u0442"), ("+", "-"),
    ("A", "the"), ("< 5 mm", "> 5 mm"), ("-600", "600"), ("1/2", "2/1"), ("2 cm", "2 mm"),
    ("Grade I", "Grade II"), ("3 days", "3 weeks"), ("L4", "L5"), ("5 mm", "5 cm"), ("\u22645", "\u22655"),
    ("\xb1 5", "5"), ("5 \xb1 1", "5 + 1"), ("10", "-10"), ("1:2", "2:1"), ("1,5 cm", "15 cm"), ("5%", "5"),
    ("50 HU", "50 mg"), ("stage IIIA", "stage IIIB"), ("Stage III", "Stage IV"), ("T1", "T2"),
    ("grade 1", "grade 2"), ("hepatitis B", "hepatitis C"), ("type A", "type B"), ("ER+", "ER-"),
    ("er+", "er-"), ("HER2+", "HER2-"), ("1+", "2+"), ("A", "B"), ("10^3", "10^4"), ("10\xb2", "102"),
    ("10\xb3", "10\xb2"), ("\xbd", "\xbc"), ("1\xbd", "11/2"), ("L4-5", "L4-L6"),
    ("left > right", "right > left"), ("heart behind tumor", "tumor behind heart"), ("+ve", "-ve"),
    ("\u2191", "\u2193"), ("\u2191 density", "\u2193 density"), ("\u2713", "\u2717"), ("none", "1"),
    ("0", "1"), ("mild effusion", "severe effusion"), ("II", "III"), ("first", "second"),
    ("3rd ventricle", "4th ventricle"), ("ja", "nein"), ("oui", "non"), ("rechts", "links"),
    ("linke Lunge", "rechte Lunge"), ("poumon gauche", "poumon droit"),
    ("pulm\xf3n derecho", "pulm\xf3n izquierdo"), ("\u03b1", "\u03b2"), ("\u2642", "\u2640"), ("?", "!"),
    ("...", "yes"), ("yes", "..."), ("C5", "C6"), ("5 mm", "5"), ("yes, 2 cm", "yes, 3 cm"),
    ("5-10 mm", "5-11 mm"), ("< 5", "5"), ("\u2161", "\u2162"), ("no", "not normal"),
    ("A is larger than B", "B is larger than A"), ("w/o contrast", "w/ contrast"), ("1.5 T", "3 T"),
    ("stage IIIA", "stage III"), ("the", "of"), ("an", "the"), ("is", "of"), ("a", "an"), ("x", "y"),
    ("\xb0", "%"), ("24 years", "24 months"), ("10 mg/dl", "10 mg/ml"), ("-", "yes"), ("CD4", "CD8"),
    ("Level II", "Level III"), ("two weeks", "two days"), ("5'", '5"'), ("lung \u2713", "lung \u2717"),
    ("Type 1", "Type 2"), ("3", "\u0664"), ("right", "\u5de6"), ("\u80ba", "lung"),
    ("\u0644\u0627", "\u0646\u0639\u0645"), ("5x10^3", "5x10^4"), ("2023-01-02", "2023-02-01"),
    ("grade IV", "grade VI"), ("I", "II"), ("1st", "2nd"), ("12 o'clock", "6 o'clock"),
    ("Fazekas 1", "Fazekas 2"), ("BI-RADS 4a", "BI-RADS 4b"), ("BI-RADS 2", "BI-RADS 3"),
    ("TNM T1N0M0", "TNM T2N0M0"), ("normal", "abnormal"), ("5 mm", "5 \u03bcm"), ("100", "1000"),
    ("1000", "1.000"), ("\u2260", "="), ("a+b", "a-b"),
    ("intra-axial", "extra-axial"), ("intradural", "extradural"), ("Fontaine IIa", "Fontaine IIb"),
    ("FIGO IA", "FIGO IB"), ("segment IVa", "segment IVb"), ("ascending aorta", "descending aorta"),
    ("stable", "unstable"), ("typical", "atypical"), ("symmetric", "asymmetric"), ("regular", "irregular"),
    ("high-grade", "low-grade"), ("hypoechoic", "hyperechoic"), ("microadenoma", "macroadenoma"),
    ("tachycardia", "bradycardia"), ("pericarditis", "endocarditis"), ("perineal", "peroneal"), ("RUL", "LUL"),
    ("supine", "prone"), ("apex", "base"), ("varus", "valgus"), ("solid", "cystic"), ("artery", "vein"),
    ("minus 5", "5"), ("minus five", "plus five"), ("5 million", "5 billion"), ("5 million", "5"),
    ("fifteen", "fifty"), ("twenty-one", "twenty-two"), ("one hundred", "100,000"), ("June 2019", "July 2019"),
    ("Monday", "Tuesday"), ("mass without effusion", "effusion without mass"), ("enhancement", "lacks enhancement"),
    ("5 \xb5g", "5 mg"), ("T2N0M0", "T2 N1 M0"), ("BI-RADS 3", "BIRADS 4"), ("Birads III", "BI-RADS 4"),
    (r"$\leq 5$", r"$\geq 5$"), ("L", "right"), ("L", "R"), ("L5-S1", "L4/L5"), ("Answer: left", "right"), ("RLQ", "right upper quadrant"),
]  # fmt: skip

SAME = [
    ("none", "0"), ("0", "none"), ("no", "0"), ("yes", "<p>Yes</p>"), ("< 5 mm", "&lt;5 mm"),
    ("left lung", "**left lung**"), ("Crohn's disease", "Crohn\u2019s disease"), ("x-ray", "X\u2011ray"),
    ("CT", "\uff23\uff34"), ("2 cm", "20 mm"), ("Grade II", "grade 2"), ("\u662f", "\u662f\u3002"),
    ("\u662f\u7684", "\u662f"), ("\u0434\u0430", "\u0414\u0430."), ("3 days", "three days"),
    ("5 mm", "5mm"), ("1.5 cm", "1,5 cm"), ("no", "not visible"), ("no", "Not seen"), ("5 mm", "5 mm."),
    ("Yes", "\u201cYes\u201d"), ("5%", "5 percent"), ("\u2264 5 mm", "<=5 mm"), ("1/2", "\xbd"),
    ("\u80ba", "\u80ba"), ("\u80ba", "\u80ba\u3002"), ("3", "\u0663"), ("ja", "Ja"),
    ("yes", "\u0434\u0430"), ("L4/L5", "L4-L5"), ("L4-L5", "L4-5"), ("II", "2"),
    ("less than 5 mm", "< 5 mm"), ("-600 HU", "\u2212600 HU"), ("A", "a"), ("A", "A."), ("mass", "a mass"),
    ("the lung", "lung"), ("cm\xb2", "cm2"), ("5 cm\xb2", "5 cm2"), ("T2", "T\u2082"), ("yes", "*yes*"),
    ("yes", "`yes`"), ("Hepatitis A", "hepatitis a"), ("+", "+"), ("5 to 10 mm", "5\u201310 mm"),
    ("effusion", "- effusion"), ("liver, spleen", "liver + spleen"), ("10 cc", "10 ml"), ("twelve", "12"),
    ("2 weeks", "14 days"), ("yes", "Yes\u2014a mass"), ("\uff39\uff25\uff33", "yes"), ("yes", "\ufeffyes"),
    ("no", "No\u200b"), ("Sj\xf6gren syndrome", "sj\xf6gren syndrome"), ("<b>left</b> lung", "left lung"),
    ("none", "None."), ("none", "zero"), ("no lesions", "0 lesions"), ("without contrast", "w/o contrast"),
    ("\u2161", "II"), ("2 x 3 cm", "2\xd73 cm"), ("hepatic", "liver"),
    ("5 \xb5g", "5 mcg"), ("5 \u03bcg", "5 ug"), ("T2N0M0", "T2 N0 M0"), ("t2, n0, m0", "T2N0M0"),
    ("BI-RADS 3", "BIRADS 3"), ("BI-RADS 3", "Birads III"), ("BI-RADS category 4", "BI-RADS 4"),
    ("minus 5", "-5"), ("minus five", "\u22125"), ("fifteen", "15"), ("twenty-one", "21"), ("5 thousand", "5,000"),
    ("one hundred and twenty", "120"), ("fifty percent", "50 %"), ("RUL", "right upper lobe"),
    ("LLQ", "left lower quadrant"), ("L5-S1", "L5/S1"), ("hyper-intense", "hyperintense"),
    ("nonenhancing", "non-enhancing"), ("intra-axial", "intraaxial"), ("5 mm", r"$5\,\text{mm}$"), ("L", "left"), ("R.", "Right"), ("M", "male"),
    ("1/2", r"\frac{1}{2}"), ("left", "{\"answer\": \"left\"}"), ("left", r"\boxed{left}"), ("Fontaine IIA", "Fontaine IIa"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_answers_are_never_right(one: str, other: str) -> None:
    for reference, answer in ((one, other), (other, one)):
        assert label("What is seen?", reference, answer) in (0, None)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_another_form_is_right(one: str, other: str) -> None:
    for reference, answer in ((one, other), (other, one)):
        assert label("What is seen?", reference, answer) == 1


@pytest.mark.parametrize(
    ("question", "reference", "answer", "expected"),
    [
        ("Mean HU?", "-600", "600", 0),
        ("Mean HU?", "600 HU", "600", 1),  # the question names the unit
        ("What size?", "2 cm", "2", 0),
        ("How many cm?", "2", "20 mm", 1),
        ("How old is the patient?", "40 years", "40", 1),
        ("How many masses?", "0", "There are no masses", 1),
        ("How many masses?", "none", "2", 0),
        ("Is there effusion?", "no", "no effusion", 1),
        ("Is there effusion?", "no", "effusion", 0),
        ("Is there effusion?", "yes", "yes, 3 cm", 1),
        ("Are there abnormalities in this image?", "yes", "heart", 0),
        ("Are there abnormalities in this image?", "yes", "MRI", 0),
        ("Are there abnormalities in this image?", "yes", "a mass", 1),
        ("Is there a mass in the lung?", "yes", "lung", 0),
        ("Is the CSF enhanced or non enhanced?", "non-enhanced", "no", 0),
        # a question that cannot be read: what excludes each other all the same
        ("\u8fd9\u662f\u4ec0\u4e48?", "CT", "MRI", 0),
        ("\u8fd9\u662f\u4ec0\u4e48?", "CT", "ct", 1),
        ("\u8fd9\u662f\u4ec0\u4e48?", "2", "3", 0),
        ("\u8fd9\u662f\u4ec0\u4e48?", "nodule", "opacity", None),
        ("What is seen?", "", "lung", None),
        ("Is there a mass?", "yes", "Answer: Yes", 1),
        ("Is there a mass?", "yes", "The answer is yes.", 1),
        ("Is there a mass?", "yes", "**Final answer:** no", 0),
        ("Is there a mass?", "yes", "true", 1),
        ("Is there a mass?", "yes", "False", 0),
        ("Is there a mass?", "no", "N", 1),
        ("Is there a mass?", "yes", "unlikely", 0),
        ("Is there a mass?", "yes", "\xa1S\xed!", 1),
        ("Is there a mass?", "no", r"The answer is \boxed{Yes}.", 0),
        ("Which one is larger?", "B is larger", "A is larger", 0),
        ("What is seen?", "lung", "\u200b", 0),
    ],
)
def test_what_the_question_says_counts(
    question: str, reference: str, answer: str, expected: int | None
) -> None:
    assert label(question, reference, answer) == expected


# One and a half alphabets' worth of letters: enough for words, none of them English.
SCRIPTS = {
    "Chinese": "\u80ba\u5fc3\u810f\u809d\u8111\u5de6\u53f3\u4e0a\u4e0b\u80f8\u8179\u4e09\u4e8c",
    "Japanese": "\u3042\u3044\u3046\u3048\u304a\u30ab\u30ad\u30af\u30b1\u30b3\u80ba\u5de6",
    "Hangul": "\ud3d0\uc2ec\uc7a5\uac04\ub1cc\uc88c\uc6b0\uc0c1\ud558",
    "Cyrillic": "\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438\u043a\u043b\u043c\u043e",
    "Greek": "\u03b1\u03b2\u03b3\u03b4\u03b5\u03b6\u03b7\u03b8\u03ba\u03bb",
    "Arabic": "\u0627\u0628\u062a\u062b\u062c\u062d\u062e\u062f\u0631\u0633",
    "Hebrew": "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8",
    "Thai": "\u0e01\u0e02\u0e04\u0e07\u0e08\u0e0a\u0e14\u0e15\u0e1b",
    "Devanagari": "\u0915\u0916\u0917\u0918\u091a\u091c\u091f\u0921\u0924",
    "Armenian": "\u0561\u0562\u0563\u0564\u0565\u0566\u0567",
}


@pytest.mark.parametrize("script", SCRIPTS)
@given(data=st.data())
def test_two_texts_of_another_script_are_not_judged_unless_they_are_the_same(
    script: str, data: st.DataObject
) -> None:
    # A single Greek letter is a sign in English: interferon alpha, and in T2 as well.
    least = 2 if script == "Greek" else 1
    words = st.lists(st.text(SCRIPTS[script], min_size=least, max_size=4), min_size=1, max_size=3).map(
        " ".join
    )
    ends = st.sampled_from(["", " 2 cm", " T2", ", CT", "!"])
    one, other = (data.draw(words) + data.draw(ends) for _ in range(2))
    assume(not (bare_yes_or_no(one) and bare_yes_or_no(other)))
    found = label("What is seen?", one, other)
    if key_of(one) == key_of(other):
        assert found == 1
    else:
        assert found is None
    assert label("What is seen?", one, one + ".") == 1


UNITS = {  # a unit in millimetres, milligrams or days; None: of no kind that is converted
    "mm": ("length", Fraction(1)), "cm": ("length", Fraction(10)), "m": ("length", Fraction(1000)),
    "mg": ("mass", Fraction(1)), "g": ("mass", Fraction(1000)), "kg": ("mass", Fraction(1000000)),
    "days": ("time", Fraction(1)), "weeks": ("time", Fraction(7)), "hours": ("time", Fraction(1, 24)),
    "months": ("months", Fraction(1)), "years": ("months", Fraction(12)), "HU": ("HU", Fraction(1)),
    "%": ("%", Fraction(1)), "ml": ("volume", Fraction(1)), "": ("", Fraction(1)),
}  # fmt: skip
quantities = st.tuples(
    st.sampled_from(["", "<", ">", "\u2264", "\u2265", "\u00b1"]),
    st.sampled_from(["", "-"]),
    st.sampled_from(["1", "2", "10", "20", "7", "14", "12", "0.1", "1.0", "100", "1000", "1,000"]),
    st.sampled_from(list(UNITS)),
)


@given(quantities, quantities)
def test_two_quantities_are_the_same_if_they_measure_the_same(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    meant = []
    for compared, sign, digits, unit in (one, other):
        kind, scale = UNITS[unit]
        meant.append((compared, kind, Fraction(f"{sign}{digits.replace(',', '')}") * scale))
    texts = [f"{compared} {sign}{digits} {unit}".strip() for compared, sign, digits, unit in (one, other)]
    assert label("What is it?", *texts) == int(meant[0] == meant[1])


@given(*[st.text("bcdxz0123456789<>%\u00b1\u2264\u2265 .", min_size=1, max_size=8)] * 2)
def test_the_same_words_have_the_same_letters_digits_and_signs(one: str, other: str) -> None:
    found = decide("What is it?", one, other)
    if found is not None and found.label == 1 and found.rule.startswith("the same"):
        # Zeros in front of a number and behind its point, and points between words, say nothing.
        first, second = (sorted(char for char in text if char not in " .0") for text in (one, other))
        assert first == second


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_breaks_it_and_what_is_said_is_one_of_three(one: str, other: str) -> None:
    found = decide("What is it?", one, other)
    assert found is None or found.label in (0, 1, None)
    if found is not None and found.label is None:
        assert found.rule.startswith(NOT_JUDGED)


@given(st.text(max_size=30))
def test_what_is_readable_stays_as_it_is(text: str) -> None:
    assert key_of(readable(text)) == key_of(text)


@pytest.mark.parametrize("fragment", ["[THINK]", "A: ", "a ", "\\", "1 ", "- ", "\u2014"])
def test_long_texts_take_time_that_grows_with_their_length(fragment: str) -> None:
    # 20,000 characters; half as many took up to a minute. Of processor time, not of the clock's.
    text = fragment * (20_000 // len(fragment))
    began = time.process_time()
    decide("Where is it?", "5 mm left", text)
    assert time.process_time() - began < 10


def test_nothing_is_stripped_to_nothing() -> None:
    for text in ("the", "A", "+", "<", "of", "\u2191", "-"):
        assert taken_apart(text).parts, text


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("left lower lobe", True), ("5 mm", True), ("T2", True), ("Sj\u00f6gren syndrome", True),
        ("interferon \u03b1", True), ("linke Lunge", False), ("poumon gauche", False),
        ("pulm\u00f3n derecho", False),
        ("\u80ba", False), ("lung \u80ba", False), ("In welcher Seite ist die Niere?", False), 
        ("rechts", False),
    ],
)  # fmt: skip
def test_what_is_english(text: str, english: bool) -> None:
    assert is_english(text) is english


def test_reports_in_another_language_are_not_judged_unless_they_are_the_same() -> None:
    text = "\u5fc3\u810f\u589e\u5927\u3002\u5de6\u4fa7\u80f8\u8154\u79ef\u6db2\u3002"
    assert EASY(JudgedPair("level", "", text, text))[0] == 4
    assert EASY(JudgedPair("level", "", text, text[:5]))[0] is None
    assert EASY(JudgedPair("level", "", "The heart is enlarged.", text))[0] is None
    assert EASY(JudgedPair("level", "", "The heart is enlarged.", " "))[0] == 0
