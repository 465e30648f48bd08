"""The words of an answer, for the metrics that are our own: marks go, what carries meaning stays.

Of the text as `writing.cleaned` leaves it a word is

- a run of letters, with digits and apostrophes in it: `t2`, `l4`, `crohn's`; each Chinese or Japanese
  character by itself, as these are written without spaces;
- a number with its sign, decimals and what ties it to another: `-600`, `2.5`, `<5`, `1:2`, `1/2`, `10^6`;
  `2,5` is 2.5, `1,000` is 1000, `2.5cm` two words;
- `%`, and signs that are said by themselves: an arrow, `+` behind a word (`er+`, `2+`), `-` behind an
  abbreviation in capitals (`ER-`).

Articles go, `none` and zero to ten become digits, an apostrophe that a contraction lacks is put in, and
x ray is xray, all as in the VQA challenge's normalisation. A text of nothing but articles or marks is one
word as it stands: nothing is ever compared with nothing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable

from pefomed.metrics.normalise import ARTICLES, CONTRACTIONS, NUMBERS
from pefomed.metrics.writing import cleaned, plain_characters

TOKENIZER = (
    "words of the text in case-folded NFKC without Markdown, HTML and punctuation; signs of numbers kept,"
    " articles dropped, number words as digits, x ray = xray"
)


@functools.lru_cache(maxsize=2**16)  # several metrics ask for the same few thousand answers
def words(text: str) -> tuple[str, ...]:
    """Return the words of `text`; none only if it shows nothing."""
    # Capitals tell `ER-` from `Yes-`: looked at before they are folded.
    line = cleaned(_NEGATIVE.sub(rf"\1{_MINUS}", plain_characters(text)))
    joined = line
    for pattern, becomes in _JOINED:
        joined = pattern.sub(becomes, joined)
    in_order = [_number(word) for word in _WORD.findall(joined)]
    in_order = [CONTRACTIONS.get(word, word) for word in (NUMBERS.get(word, word) for word in in_order)]
    # What comes last is no article: hepatitis A.
    without_articles = [word for word in in_order[:-1] if word not in ARTICLES] + in_order[-1:]
    return tuple(_with_x_rays(without_articles) or [_BRACKETS.sub("", line) or line][: len(line)])


_MINUS = "\u2796"
"""Stands for the `-` of `ER-` until the words are found."""

_NEGATIVE = re.compile(r"(?<![^\s(,;/])(?!NO-|YES-)([A-Z][A-Z0-9]{1,5})-(?=$|[\s,;.)/])(?!\s+(?:and|or)\b)")
_BRACKETS = re.compile(r"[()\[\]{}\"'.,;:!\s]")


def _without_dots(match: re.Match[str]) -> str:
    return match[0].replace(".", "")


def _without_commas(match: re.Match[str]) -> str:
    return match[0].replace(",", "")


_JOINED: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?![^\W_])"), _without_dots),  # U.S.
    (re.compile(r"(?<=\d)\s([:/])\s(?=\d)"), r"\1"),
    (re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])"), _without_commas),
    (re.compile(r"(?<![\w.,])(\d+),(\d{1,2}|\d{4,})(?![\d,])"), r"\1.\2"),
    (re.compile(r"(?<![\w.])\.(?=\d)"), "0."),
    (re.compile(r"<\s?=|\u2a7d"), "\u2264"),
    (re.compile(r">\s?=|\u2a7e"), "\u2265"),
    (re.compile(r"(?<![-=])[-=]+>|<[-=]+"), " "),  # arrows
    (re.compile(r"([<>\u2264\u2265\u00b1~\u2248])\s+(?=[-+]?\d)"), r"\1"),
    (re.compile(r"(?<=\d)\s*x\s*(?=\d)"), " x "),  # 5x3 cm
    (re.compile(r"(?<=[^\W\d_])\^(?=\d)"), ""),  # cm^2
    (re.compile(r"^([-+])\s+(?=\d)"), r"\1"),
)

# `re` takes vowel signs and accents for no letters, which would cut words of Hindi or Thai.
_COMBINING = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M")
_ALONE = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"(?:(?![{_ALONE}])[^\W_]|[{_COMBINING}])"
_VALUE = r"\d+(?:\.\d+)*"
_COMPARED = "<>\u2264\u2265\u00b1~\u2248"
_WORD = re.compile(
    rf"[{_ALONE}]"
    r"|\d+(?:st|nd|rd|th)(?!\w)"
    rf"|[{_COMPARED}]?(?:(?<![\w)])[-+])?{_VALUE}(?:\^[-+]?\d+)?(?:[:/-]{_VALUE})*(?:\+(?!\w))?"
    rf"|{_LETTER}+(?:'{_LETTER}+)*(?:\+(?!\w)|{_MINUS})?"
    r"|[%<>\u2264\u2265\u00b1\u2191\u2193\u2640\u2642\u2713\u2714\u2717\u2718]"
)


def _number(word: str) -> str:
    return word.removeprefix("+") if word[1:2].isdigit() else word


def _with_x_rays(in_order: list[str]) -> list[str]:
    """Return the words with `x`, `ray` as the one word xray."""
    joined: list[str] = []
    for word in in_order:
        if word in ("ray", "rays") and joined and joined[-1] == "x":
            joined[-1] = f"x{word}"
        else:
            joined.append(word)
    return joined
