"""A text as letters and digits alone, without case, marks and separators, and where each of them stood.

Two spellings of a name that differ in case, in accents, in width, in how Unicode composes them or in what
joins their parts become the same letters. Six marked letters stay apart from the plain ones, because they are
also written with two: ä (and æ), ö (and ø), ü, å, ō, ū.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from pefomed.deidentify.characters import VARIANTS


class Edge(IntEnum):
    """What stands between two neighbouring letters."""

    NONE = 0
    CASE = 1
    """`aB`, or `ABc` before the B: two words in one."""
    CHANGE = 2
    """Another script, or a digit beside a letter."""
    GAP = 3
    """Spaces, signs, an underscore; or an end of the text."""


@dataclass(frozen=True)
class FoldedText:
    """A text's letters and digits."""

    text: str
    """As it was."""
    letters: str
    spans: tuple[tuple[int, int], ...]
    """Of each letter, where it stands in `text`."""
    edges: tuple[Edge, ...]
    """What stands before each letter, and behind the last."""
    scripts: tuple[str, ...]
    """Of each letter, e.g. `LATIN`; of a digit `DIGIT`."""

    def gap(self, place: int) -> str:
        """Return what stands in the text before the letter at `place`, back to the letter before it."""
        start = self.spans[place - 1][1] if place else 0
        return self.text[start : self.spans[place][0] if place < len(self.spans) else len(self.text)]


UNSPACED = frozenset("CJK HIRAGANA KATAKANA THAI LAO KHMER MYANMAR TIBETAN".split())
"""Scripts that put no spaces between words."""


def fold(text: str) -> FoldedText:
    """Return `text` as letters and digits; marks that no letter stands before are left out."""
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    edges: list[Edge] = []
    scripts: list[str] = []
    cases: list[str] = []
    gap = True
    for start, end in _clusters(text):
        found = _fold(text[start:end])
        if found == "々" and letters:
            found = letters[-1]
        if not found:
            # Joiners and marks of direction are not seen, and accents that stand alone belong to a letter or
            # are typed for an apostrophe: they part nothing.
            gap = gap or unicodedata.category(text[start]) not in ("Cf", "Sk") or text[start] == "^"
            continue
        case = _case(text[start])
        for number, letter in enumerate(found):
            kind = _script(unicodedata.normalize("NFKC", text[start:end])[0], letter)
            if kind == "SAME":
                kind = scripts[-1] if scripts else "KATAKANA"
            edge = Edge.NONE if number else _edge(gap, cases, case, scripts, kind)
            if edge is Edge.NONE and not number and case == "lower" and cases[-2:] == ["upper", "upper"]:
                edges[-1] = max(edges[-1], Edge.CASE)  # `CTSchmidt`: the last capital begins a word
            letters.append(letter)
            spans.append((start, end))
            edges.append(edge)
            scripts.append(kind)
        cases.append(case)
        if gap:
            cases[:] = [case]
        gap = False
    return FoldedText(text, "".join(letters), tuple(spans), (*edges, Edge.GAP), tuple(scripts))


def _edge(gap: bool, cases: list[str], case: str, scripts: list[str], script: str) -> Edge:
    if gap:
        return Edge.GAP
    if scripts[-1] != script:
        return Edge.CHANGE
    return Edge.CASE if cases[-1] == "lower" and case == "upper" else Edge.NONE


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each character with its marks, and of each syllable of jamo."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and (
            unicodedata.category(text[end]) in ("Mn", "Mc", "Me")
            or text[end] in "ﾞﾟ"
            or ("ᄀ" <= text[end - 1] <= "ᇿ" and "ᅠ" <= text[end] <= "ᇿ")
        ):
            end += 1
        yield start, end
        start = end


def _case(letter: str) -> str:
    return "upper" if letter.isupper() or letter.istitle() else "lower" if letter.islower() else ""


@functools.lru_cache(maxsize=4096)
def _fold(cluster: str) -> str:
    parts = unicodedata.normalize("NFKD", cluster)
    base = next((part for part in parts if unicodedata.category(part)[0] == "L"), "")
    if not base:
        return "".join(str(unicodedata.decimal(part)) for part in parts if part.isdecimal())
    if "\u02b0" <= base <= "\u02ff":
        return ""  # Signs such as the turned comma of Hawaiian: apostrophes that Unicode calls letters.
    if _script(base, base) in _MARKS_DROPPED:
        marks = {_DOUBLED.get(base.lower() + part, "") for part in parts[1:]} - {""}
        parts = marks.pop() if marks else "".join(part for part in parts if part.isalnum())
    parts = unicodedata.normalize("NFC", parts).casefold()
    parts = "".join(part for part in parts if part not in _NUKTAS).translate(_SAME)
    kept = (part for part in parts if unicodedata.category(part)[0] in "LM" or part.isdecimal())
    return "".join(kept)


# Vowels whose mark is also written as a second letter, and with which letter they are kept as one.
_DOUBLED = {
    "a\u0308": "ä", "o\u0308": "ö", "u\u0308": "ü", "o\u030b": "ö", "u\u030b": "ü", "a\u030a": "å",
    "o\u0304": "ō", "u\u0304": "ū",
}  # fmt: skip
_MARKS_DROPPED = frozenset("LATIN GREEK CYRILLIC ARABIC HEBREW".split())
_NUKTAS = frozenset("\u093c\u09bc\u0a3c\u0abc\u0b3c")
# The letters a decomposition does not part, and those that writers of a script use for each other.
# ruff: noqa: RUF001
_SAME = str.maketrans(
    {
        "æ": "ä", "ø": "ö", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t",
        "ŋ": "ng", "ə": "a", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ґ": "г",
        "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ھ": "ه", "ـ": "",
        "ך": "כ", "ם": "מ", "ן": "נ", "ף": "פ", "ץ": "צ",
        "\u0901": "\u0902",
    }
    | {chr(number): chr(number - 0x60) for number in range(0x30A1, 0x30F7)}  # katakana as hiragana
    | VARIANTS
)  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _script(letter: str, as_folded: str) -> str:
    if as_folded.isdecimal():
        return "DIGIT"
    name = unicodedata.name(letter, "UNKNOWN").split()[0]
    return {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "SAME", "MODIFIER": "LATIN"}.get(name, name)
