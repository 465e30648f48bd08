"""Equality of Chinese answers: full width, punctuation, traditional forms and numerals do not count.

- Unicode's NFKC and case folding: full-width letters and digits (U+FF34 U+FF11 is `T1`).
- Traditional characters become simplified ones, by OpenCC (extra `chinese`).
- Numbers in characters become digits: 十二 = 12, 两 = 2, 两百零三 = 203, 二点五 = 2.5, 百分之五 = 5 %; a
  number with a measure word alone is the number: 2个 = 2.
- Marks and spaces go, but for those that a number needs: `2.5`, `1,2`, `<5`, `-1`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from pefomed.protocols.vqa_challenge import x_ray_equal

MISSING = "traditional characters need OpenCC: pip install 'pefomed[chinese]'"


def available() -> bool:
    """Return whether traditional characters can be converted."""
    return find_spec("opencc") is not None


def chinese_equal(reference: str, answer: str) -> bool:
    """Return whether both say the same but for the above; nothing is never right.

    Raises:
        ModuleNotFoundError: OpenCC is not installed; see `available`.
    """
    wanted = normalised(reference)
    if not wanted:
        return reference.strip() == answer.strip() != ""
    return wanted == normalised(answer)


def either_equal(reference: str, answer: str) -> bool:
    """Return the same of texts with Chinese characters; of others whether they are equal as PeFoMed has it.

    Raises:
        ModuleNotFoundError: OpenCC is not installed.
    """
    rule = chinese_equal if _HAN.search(reference + answer) else x_ray_equal
    return rule(reference, answer)


RULES = frozenset({chinese_equal, either_equal})
"""Those that need OpenCC."""


def normalised(text: str) -> str:
    """Return a Chinese text as it is compared."""
    folded = unicodedata.normalize("NFKC", _simplified(unicodedata.normalize("NFKC", text))).casefold()
    numbered = _POINT.sub(".", _PER_CENT.sub(r"\1%", _NUMERAL.sub(_in_digits, folded)))
    kept = "".join(each for place, each in enumerate(numbered) if each.isalnum() or _counts(numbered, place))
    return _COUNTED.sub(r"\1", kept)


def _counts(text: str, place: int) -> bool:
    """Return whether a mark belongs to a number beside it."""
    mark, before, behind = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if mark in ".,:/":
        return before.isdigit() and behind.isdigit()
    if mark in "-<>+\u2264\u2265\u00b1":
        return behind.isdigit() and (mark != "-" or not before.isalnum())
    return mark == "%"


def _in_digits(found: re.Match[str]) -> str:
    """Return the number that characters write; those that write none stay."""
    text = found[0]
    if not any(each in _UNITS for each in text):
        return "".join(str(_DIGITS[each]) for each in text)
    total = section = digit = 0
    for each in text:
        if each in _DIGITS:
            digit = _DIGITS[each]
            continue
        unit = _UNITS[each]
        if unit >= 10_000:
            total, section, digit = (
                (total + section + digit) * unit if total + section + digit else unit,
                0,
                0,
            )
        else:
            section, digit = section + (digit or 1) * unit, 0
    return str(total + section + digit)


@cache
def _converter() -> Callable[[str], str]:
    convert: Callable[[str], str] = import_module("opencc").OpenCC("t2s").convert
    return convert


def _simplified(text: str) -> str:
    return text if text.isascii() else _converter()(text)


_DIGITS = {each: value for value, forms in enumerate(
    ("\u96f6\u3007", "\u4e00\u58f9", "\u4e8c\u4e24\u8d30", "\u4e09\u53c1", "\u56db\u8086", "\u4e94\u4f0d",
     "\u516d\u9646", "\u4e03\u67d2", "\u516b\u634c", "\u4e5d\u7396")
) for each in forms}  # fmt: skip
_UNITS = {
    "\u5341": 10,
    "\u62fe": 10,
    "\u767e": 100,
    "\u4f70": 100,
    "\u5343": 1000,
    "\u4edf": 1000,
    "\u4e07": 10_000,
}
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_NUMERAL = re.compile(f"[{''.join(_DIGITS)}{''.join(_UNITS)}]+")
_POINT = re.compile("(?<=\\d)\u70b9(?=\\d)")
_PER_CENT = re.compile("100\u5206\u4e4b(\\d+(?:[.\u70b9]\\d+)?)")
_COUNTED = re.compile("^(\\d+)[\u4e2a\u53ea\u679a\u9897\u5757\u5904\u6761\u5bf9\u5f20\u6839\u4f8b]$")
"""A number and a measure word, nothing else."""
