"""Medical wording made comparable: synonyms, plurals, and the words that exclude each other.

A text becomes parts (`left lung, heart` has two), a part its telling words. Words of one class (left, right;
CT, MRI; 1, 2; L4, L5) exclude each other: no similarity of meaning can make up for another one of its class.
Signs, numbers with their units, grades and single letters are words too. What a text consists of is never
left out altogether: `A` and `the` are answers where nothing else is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pefomed.judges.offline_quantities import MARK, with_quantities
from pefomed.judges.offline_text import readable
from pefomed.judges.offline_vocabulary import CLASSES, PHRASES, SILENT, WORDS

_DENSITY = re.compile(r"(hyper|hypo|iso)(?=\w{4})")


@dataclass(frozen=True)
class Text:
    """A text taken apart."""

    parts: tuple[tuple[str, ...], ...]
    """Each part's telling words, in order."""
    denials: int
    """How often something is denied (`no`, `not`, `without`)."""
    listed: Mapping[str, tuple[str, ...]]
    """Class -> its words in order, numbers among them."""

    @property
    def words(self) -> frozenset[str]:
        """All telling words, denials left out."""
        return frozenset(word for part in self.parts for word in part) - {"no"}


@lru_cache(maxsize=1 << 14)  # the same short texts come again and again
def taken_apart(text: str, unit: str = "") -> Text:
    """Return `text` as parts, denials, and words that exclude others.

    Args:
        unit: of numbers that have none: the one that the question names.
    """
    parts = tuple(filter(None, (_telling(part) for part in _parts(text, unit))))
    if not parts:  # nothing but articles and marks: then these are what it says
        parts = tuple(filter(None, _parts(text, unit)))
    everything = [word for part in parts for word in part]
    listed = {
        name: tuple(word for word in everything if word in members) for name, members in CLASSES.items()
    }
    for name, form in FORMS.items():
        listed[name] = tuple(word for word in everything if form.fullmatch(word))
    listed["density"] = tuple(found[1] for word in everything if (found := _DENSITY.match(word)))
    return Text(parts, everything.count("no"), {name: words for name, words in listed.items() if words})


FORMS: Mapping[str, re.Pattern[str]] = {
    "number": re.compile(rf"{MARK}.*|\d+[abc]"),
    "level": re.compile(r"[cls]\d{1,2}|t(?:[3-9]|1[0-2])"),
    "ordinal": re.compile(r"\d+(?:st|nd|rd|th|d)"),
    "code": re.compile(r"(?=.*\d)(?=.*[a-z])[a-z\d]+"),
    "letter": re.compile(r"[^\W\d_]|\u24d0"),
    "sign": re.compile(r"[^\w\s\u24d0]"),
}
"""Classes known by how their words look."""


_TAG = re.compile(r"\[/?[A-Za-z_]+\]")  # of a prompt, said again by a model: `[vqa] No`


def listed_in(text: str) -> list[str]:
    """Return the things a text lists, in its own words: `colon, small bowel` lists two."""
    parts = _LIST.split(readable(text).lower())
    return [part for part in (" ".join(part.split()) for part in parts) if part]


_LIST = re.compile(r"[,;/&+\n]|\band\b|\bn?or\b|\bplus\b|\.(?!\d)")


def _parts(text: str, unit: str) -> list[tuple[str, ...]]:
    """Return each part's words and signs, silent ones too."""
    text = _TAG.sub(" ", readable(text))
    for quote, prime in ('"', "\u2033"), ("'", "\u2032"):
        if text.count(quote) % 2:  # opens nothing: feet and inches, minutes and seconds
            text = re.sub(rf"(?<=\d){quote}(?!\w)", prime, text)
    if text.isupper() and len(text.split()) > 2:
        text = text.lower()
    text = _with_letters(_with_grades(_with_charges(text))).lower()
    text = _ABBREVIATED.sub(lambda found: found[0].replace(".", ""), text)
    for pattern, replacement in PHRASES:
        text = re.sub(pattern, replacement, text)
    text = with_quantities(re.sub(r" {2,}", " ", text), unit)
    parts: list[list[str]] = [[]]
    for word in _WORD.findall(text):
        if word in _SEPARATORS:
            parts.append([])
        elif word not in _MARKS:
            parts[-1].append(_meant(word))
    return [tuple(part) for part in parts]


def _with_charges(text: str) -> str:
    """Return `text` with ER+ and ER- as two words each; alone, a plus or minus is what the text says."""
    if text.strip() in ("+", "-"):
        return f" {_CHARGE[text.strip()]} "
    return _CHARGED.sub(_charge, text)


def _charge(found: re.Match[str]) -> str:
    word = found[1] or ""
    signs = found[0][len(word) :]
    return f"{word} {_CHARGE[signs[0]] * len(signs)} "


def _with_grades(text: str) -> str:
    """Return `text` with the Roman numerals of grades as Arabic ones."""
    if text.strip(" .") in _ROMAN and len(text.strip(" .")) > 1:
        return str(_ROMAN.index(text.strip(" .")) + 1)
    text = _GRADED.sub(_arabic, text)
    return _ALONE.sub(
        lambda found: (
            f"{_ROMAN.index(found[1] or found[3] or found[5]) + 1}{found[2] or found[4] or found[6] or ''}"
        ),
        text,
    )


def _arabic(found: re.Match[str]) -> str:
    number = found[2].upper()
    return f"{found[1]}{_ROMAN.index(number) + 1}{found[3]}" if number in _ROMAN else found[0]


def _with_letters(text: str) -> str:
    """Return `text` with an `A` that is no article as a letter of its own."""
    text = _LETTERED.sub(rf"\1{_LETTER_A}", text)
    return _NO_ARTICLE.sub(_LETTER_A, text)


_LETTER_A = "\N{CIRCLED LATIN SMALL LETTER A}"
_KINDS = (
    r"grade|stage|type|class|category|group|phase|degree|zone|segment|level|nerve|hepatitis|vitamin|influenza|score"
    r"|pugh|stanford|fazekas|[a-z]*rads|schatzker|option|figure|panel"
)
_LETTERED = re.compile(rf"\b((?:{_KINDS})s?[ :-]+)a\b", re.IGNORECASE)
_NO_ARTICLE = re.compile(r"(?<=[a-z,] )A(?![\w'.])|(?<![\w'.])[Aa](?!\.\w)(?=\s*(?:$|[^\w\s'\"(*_\[]))")
_ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()
_GRADED = re.compile(rf"\b((?:{_KINDS})s?[ :-]+)([ivx]+)([a-d]?)\b", re.IGNORECASE)
_ALONE = re.compile(r"\b(?:(II|III|VI|VII|VIII|IX|XI|XII)([a-dfA-DF]?)|(IV)([ab])|(I)([A-Ca-c]))\b(?!-)")
"""Not IV, which is intravenous more often, IVC, which is a vein, and no single letter."""

_CHARGED = re.compile(
    r"(?<!\w)([A-Za-z0-9]*[A-Z0-9])([+]+|-+)(?![\w+-])(?!\s*(?:\d|and\b|or\b|,|[/+]))"
    r"|(?<=[^\W_])()([+]+|-+)(?=\s*(?:$|[.;:)\n]))|(?:^|(?<=[\n(]))()(\+)(?=\s*[^\W\d_])|(?:^|(?<=[\s(]))()([+-])(?=[^\W\d_])"
)
_CHARGE = {"+": "\N{HEAVY PLUS SIGN}", "-": "\N{HEAVY MINUS SIGN}"}
_ABBREVIATED = re.compile(r"\b(?:[a-z]\.){2,}")

_SEPARATORS = frozenset({",", ";", "/", "&", "+", "\n", ".", "and", "or", "nor", "plus"})
_MARKS = frozenset("\"'()[]{}!?:*_\\|#-\u2026\u00b7\u00bf\u00a1~")
"""Marks that say nothing where they stand alone; every other sign is a word."""

_WORD = re.compile(rf"{MARK}\S+|[^\W_]+(?:'[a-z]+)?|\n|[^\s\w]|_")


def _meant(word: str) -> str:
    return WORDS.get(word, word) if word.startswith(MARK) else WORDS.get(single := _singular(word), single)


def _telling(part: tuple[str, ...]) -> tuple[str, ...]:
    # What something is stands last: an x-ray of the chest is a chest x-ray.
    place = part.index("of") if "of" in part else None
    turned = part if place is None else (*part[place + 1 :], *part[:place])
    return tuple(word for word in turned if word not in SILENT)


def _singular(word: str) -> str:
    if word in _NO_PLURALS:
        return word
    if len(word) > 4 and word.endswith("sses"):
        return word[:-2]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_NO_PLURALS = frozenset("pancreas ascites diabetes lens biceps triceps quadriceps herpes".split())
