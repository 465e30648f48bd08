"""Whether the answer to a closed question says the reference, be it a word or a sentence.

Where the reference is a yes or a no (or 是, 没有 and the like, as closed Chinese questions are answered):

- an answer that begins with yes or no is that, whatever follows: "Yes. No other lesion." is yes;
- `yes or no`, `yes/no`, `yes no` is neither;
- elsewhere in the answer it must stand alone: "The answer is yes", not "it is yes, not no".

A reference in a sentence that begins with one ("Yes, there is a mass.", "No - the heart is normal", but not
"no finding") asks for that yes or no. Any other reference (`left`, `MRI`) must stand in the answer, its words
one after the other, and not behind a negation (`not left`). No answer and no reference are never right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pefomed.metrics.words import words
from pefomed.metrics.writing import cleaned

Polarity = Literal["yes", "no", ""]


def closed_accuracy(reference: str, prediction: str) -> bool:
    """Return whether a closed question's answer says the reference, see above."""
    wanted, said = words(reference), words(prediction)
    if not wanted or not said:
        return False
    if wanted == said:
        return True
    asked = _asked_in(reference, wanted)
    if asked is None:
        return _stands_in(wanted, said)
    polarity, yes, no = asked
    return polarity == _said(said, prediction, yes, no)


def closed_reading(reference: str, prediction: str) -> str:
    """Return whether an answer says `yes`, `no` or `neither`; to a reference of other words the answer."""
    asked, said = _asked_in(reference, words(reference)), words(prediction)
    if asked is None or not said:
        return prediction
    return _said(said, prediction, *asked[1:]) or "neither"


WORDS: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (frozenset(yes.split()), frozenset(no.split()))
    for yes, no in (
        ("yes yeah yep yup", "no nope nah"), ("ja", "nein"), ("oui", "non"), ("sí sì si", "no"),
        ("sim", "não nao"), ("да", "нет"), ("так", "ні"), ("tak", "nie"), ("ja", "nee"), ("ja", "nej"),
        ("evet", "hay\u0131r hayir"), ("نعم", "لا"), ("네 예", "아니요 아니오"), ("हाँ हां", "नहीं"),
    )
)  # fmt: skip
"""Yes and no in a language; an answer is read in the language of its reference."""

CHINESE_YES = ("是的", "对的", "對的", "是", "有", "包含", "可以", "存在", "包括", "对", "對", "能")
CHINESE_NO = (
    "不是", "没有", "沒有", "不包含", "不可以", "不存在", "不包括", "不对", "不對", "不能", "并非", "否",
    "不", "没", "沒", "无", "無",
)  # fmt: skip
"""How closed questions are answered in Chinese; those that begin other words count only by themselves."""

_ALONE = frozenset("不没沒无無对對能否")
"""They begin other words: `不正常` is no `不`."""

_FOLLOWED = {"是": "否不", "有": "没沒无無"}
"""`是否`, `是不是`, `有没有` ask."""

_LEAD_IN = frozenset("the final my short answer response is well so".split())
_NAMED = re.compile(r"(?:[^\s:!]+\s+){0,3}[^\s:!]+\s*[:!]\s*(?=\S)")
"""A few words before a colon or exclamation mark: `Assistant:`, `Sure!`, `It is:`."""

_LEAD_INS = 4
"""As many of them one behind the other: `Assistant: Answer: ...`."""

_CHOICES = re.compile(r"\(?yes\s*(?:/|or)\s*no\)?\s*[:?]\s*")
_NEGATIONS = frozenset("not no non without never neither nor isn't wasn't aren't cannot can't".split())
_CHINESE_NEGATIONS = frozenset("不没沒无無非未")

_CHINESE = re.compile("[\u4e00-\u9fff]")
_MARKS = re.compile(r"[\W_]+")
_HEAD = re.compile(
    r"\s*([^\W\d_]{1,12})"
    r"(?:\s*[,;:!\u3002\uff0c\uff1b\uff1a\uff01\u060c\u0964]|\s*\.(?!\s*\d)|\s+[-\u2013\u2014]|\s*\n"
    r"|\s+(?:there|it|this|that|these|the|they|he|she)\b)",
    re.IGNORECASE,
)
"""A sentence's first word, and what tells `No, there is none` and `No there is none` from `No finding`."""


def _asked_in(
    reference: str, wanted: Sequence[str]
) -> tuple[Polarity, frozenset[str], frozenset[str]] | None:
    """Return what a reference of a yes or a no is, or of a sentence that clearly begins with one.

    `No finding` is no such sentence: it may be one of two choices. Nor is `Yes, no`, of two questions.
    """
    if alone := _asked(wanted):
        return alone
    if not (head := _HEAD.match(reference)) or not (asked := _asked(words(head[1]))):
        return None
    means, yes, no = asked
    return asked if _leading(wanted, reference, yes, no) == means else None


def _asked(wanted: Sequence[str]) -> tuple[Polarity, frozenset[str], frozenset[str]] | None:
    """Return what a reference of nothing but a yes or a no is, with the words for both in its language."""
    if len(wanted) == 1:
        known = [(yes, no) for yes, no in WORDS if wanted[0] in yes | no]
        if known:
            means: Polarity = "yes" if wanted[0] in known[0][0] else "no"
            return means, frozenset().union(*(y for y, _ in known)), frozenset().union(*(n for _, n in known))
    text = "".join(wanted)
    if text in CHINESE_YES + CHINESE_NO:
        return ("yes" if text in CHINESE_YES else "no"), *WORDS[0]
    return None


def _said(said: Sequence[str], prediction: str, yes: frozenset[str], no: frozenset[str]) -> Polarity:
    if leading := _leading(said, prediction, yes, no):
        return leading
    if after := _after_the_question(prediction):  # a model that says the question again
        prediction, said = after, words(after)
    return _leading(said, prediction, yes, no) or _elsewhere(said, prediction, yes, no)


def _leading(said: Sequence[str], prediction: str, yes: frozenset[str], no: frozenset[str]) -> Polarity:
    """Return what the answer begins with, a lead-in such as `The answer is` aside."""
    line = cleaned(prediction)
    for _ in range(_LEAD_INS):
        named = _NAMED.match(line)
        if not named or ((yes | no) & set(words(named[0])) and not _CHOICES.fullmatch(named[0])):
            break
        line = line[named.end() :]
    if line != cleaned(prediction):
        said = words(line) or said
    start = next((place for place, word in enumerate(said) if not _is_lead_in(word)), 0)
    rest = list(said[start:])
    if rest[0] in yes | no:
        other = no if rest[0] in yes else yes
        if rest[1:] and rest[1] in other and (len(rest) == 2 or _is_both(line)):
            return ""
        if len(rest) > 2 and rest[1] in ("or", "and") and rest[2] in other:
            return ""
        return "yes" if rest[0] in yes else "no"
    return _chinese_leading(_MARKS.sub(" ", line).strip())


def _after_the_question(prediction: str) -> str:
    """Return what stands behind the last `Answer:`, or behind a question that is all there is before."""
    line = cleaned(prediction)
    place = max(
        line.rfind(mark) + len(mark) if mark in line else -1 for mark in ("answer:", "? a:", "response:")
    )
    if place < 0 and line.count("?") == 1 and line.index("?") < len(line) - 1:
        place = line.index("?") + 1
    return line[place:].strip() if place >= 0 else ""


def _is_lead_in(word: str) -> bool:
    # Numbers of lists and marks of quotations besides.
    return word in _LEAD_IN or word.isdigit() or not any(map(str.isalnum, word))


def _is_both(line: str) -> bool:
    return re.search(r"\b(?:yes|no)\s*/\s*(?:yes|no)\b", line) is not None


def _chinese_leading(text: str) -> Polarity:
    for answers, means in ((CHINESE_NO, "no"), (CHINESE_YES, "yes")):
        for answer in sorted(answers, key=len, reverse=True):
            if not text.startswith(answer):
                continue
            behind = text[len(answer) : len(answer) + 1]
            alone = not behind or not _CHINESE.match(behind)
            asks = behind and behind in _FOLLOWED.get(answer, "")
            if alone or (answer not in _ALONE and not asks):
                return "yes" if means == "yes" else "no"
    return ""


def _elsewhere(said: Sequence[str], prediction: str, yes: frozenset[str], no: frozenset[str]) -> Polarity:
    """Return the yes or no that stands somewhere in the answer, if it is not both."""
    affirmed, denied = bool(yes & set(said)), bool(no & set(said))
    if affirmed or denied:
        return "" if affirmed and denied else "yes" if affirmed else "no"
    text = cleaned(prediction)
    if any(len(answer) > 1 and answer in text for answer in CHINESE_NO):
        return "" if any(f"{answer}的" in text for answer in ("是", "对")) else "no"
    if _CHINESE_NEGATIONS & set(text) or "否" in text:
        return ""
    return "yes" if any(answer in text for answer in CHINESE_YES if answer not in _ALONE) else ""


def _stands_in(wanted: Sequence[str], said: Sequence[str]) -> bool:
    size = len(wanted)
    for start in range(len(said) - size + 1):
        if said[start : start + size] == wanted:
            before = said[start - 1] if start else ""
            if before not in _NEGATIONS and before not in _CHINESE_NEGATIONS:
                return True
    return False
