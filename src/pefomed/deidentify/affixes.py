"""What may touch a name without a space and yet be no part of its word: titles, particles, codes."""

from __future__ import annotations

import re

from pefomed.deidentify.folding import UNSPACED, Edge, FoldedText, fold

_CODES = "ct|mr|mri|mrt|xr|cxr|dx|kub|mg"


def _any_of(words: str) -> str:
    return "|".join(re.escape(fold(word).letters) for word in words.split())


_TITLES = {
    "CJK": _any_of(
        "先生 女士 小姐 太太 同志 医生 医师 醫師 醫生 大夫 护士 護士 教授 様 さん さま 殿 氏 くん ちゃん 医師"
        " 主任 患者"
    ),
    "HANGUL": _any_of("씨 님 양 군 환자 환자분 선생 선생님 교수 교수님 의사"),
}  # fmt: skip
_TITLES["HIRAGANA"] = _TITLES["KATAKANA"] = _TITLES["CJK"]

# Up to the last letter before the name, from where the word begins.
_BEFORE = {
    "CJK": re.compile(rf"(?:{_any_of('患者 病人 病患 姓名 氏名 名前 主任 医師 医生 医师 教授 男 女 部')})$"),
    "HANGUL": re.compile(rf"(?:{_any_of('환자 이름 성명 의사 교수')})$"),
    "THAI": re.compile(rf"(?:{_any_of('นาย นาง นางสาว คุณ เด็กชาย เด็กหญิง ผู้ป่วย แพทย์หญิง นายแพทย์')})$"),
    "HEBREW": re.compile("^[והבלמשכ]{1,3}$"),
    "ARABIC": re.compile("^[وف]?[بلك]?(?:ال)?$|^[وف]?لل$"),
    "": re.compile(rf"^(?:{_CODES})$"),
}
_BEFORE["HIRAGANA"] = _BEFORE["KATAKANA"] = _BEFORE["CJK"]
_PARTICLES = re.compile(_any_of("은 는 이 가 을 를 의 에 에게 께 와 과 도 로 으로 이다"))


def is_code(letters: str) -> bool:
    """Return whether folded letters are a modality's code, or the word patient."""
    return re.fullmatch(f"{_CODES}|patient", letters) is not None


def bound_before(word: FoldedText, start: int, script: str) -> bool:
    """Return whether a word begins at `start`, or only a title or particle stands before it."""
    if word.edges[start] is not Edge.NONE:
        return True
    pattern = _BEFORE.get(script, _BEFORE[""])
    # `CTlea` may be two words wherever the capitals end.
    starts = (_word_start(word, start), _word_start(word, start, Edge.CASE))
    return any(pattern.search(word.letters[first:start]) is not None for first in starts if first < start)


def bound_behind(word: FoldedText, end: int, script: str, *, by_title: bool = False) -> bool:
    """Return whether a word ends at `end`, or only a title or particle follows.

    Args:
        by_title: nothing but a title counts.
    """
    behind = word.letters[end : _word_end(word, end)]
    titles = _TITLES.get(script)
    if titles and re.match(f"(?:{titles})", word.letters[end:]) and word.edges[end] is not Edge.GAP:
        return True
    if by_title:
        return False
    if word.edges[end] is not Edge.NONE:
        return True
    if script == "HANGUL":
        return _PARTICLES.fullmatch(behind) is not None
    # The genitive of a name, but not of one as short as Doe: `does`.
    return script not in UNSPACED and behind == "s" and end - _word_start(word, end) > 3


_FAR = 16
"""Letters looked at on either side: more than any title has, and few in a script without spaces."""


def _word_start(word: FoldedText, place: int, passed: Edge = Edge.NONE) -> int:
    least = max(place - _FAR, 0)
    place -= 1
    while place > least and word.edges[place] <= passed:
        place -= 1
    return max(place, 0)


def _word_end(word: FoldedText, place: int) -> int:
    most = min(place + _FAR, len(word.letters))
    while place < most and word.edges[place] is Edge.NONE:
        place += 1
    return place
