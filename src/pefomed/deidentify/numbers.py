"""Patients' numbers, accession numbers and dates that a file gives, as they may stand in a text.

`12345` is also `12-345` and `0012345`, but no part of a longer number or of a measure (`12345.5 mm`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pefomed.deidentify.folding import Edge, FoldedText, fold

_LEAST = 3
"""Numbers with fewer digits and letters are not looked for."""
_SIGNS = re.compile(r"[ \-_./]")


@dataclass(frozen=True)
class Number:
    """Digits, with or without letters."""

    pattern: re.Pattern[str]
    cuts: frozenset[int]
    """Where the number itself has a sign, counted from its end."""
    letters: str


def number(value: str) -> Number | None:
    """Return `value` to be looked for; None if it has no digit or is too short."""
    word = fold(value)
    if len(word.letters) < _LEAST or "DIGIT" not in word.scripts:
        return None
    size = len(word.letters)
    cuts = frozenset(size - place for place in range(1, size) if word.edges[place] is Edge.GAP)
    bare = word.letters.lstrip("0")
    zeros = (
        f"0{{0,64}}{re.escape(bare)}" if bare.isdigit() and len(bare) > _LEAST else re.escape(word.letters)
    )
    return Number(re.compile(f"(?=({zeros}))"), cuts, word.letters)


def dates(value: str) -> Iterator[str]:
    """Yield a DICOM date (YYYYMMDD) in the orders it is written in."""
    if re.fullmatch(r"\d{8}", value):
        year, month, day = value[:4], value[4:6], value[6:]
        for parts in ((year, month, day), (day, month, year), (month, day, year)):
            yield "-".join(parts)


def numbers_in(word: FoldedText, numbers: Iterable[Number]) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of each number in the folded letters, and whether it is beyond doubt."""
    for known in numbers:
        for match in known.pattern.finditer(word.letters):
            start, end = match.span(1)
            gaps = [place for place in range(start + 1, end) if word.edges[place] is Edge.GAP]
            signs = {word.gap(place) for place in gaps}
            own = {end - place for place in gaps} <= known.cuts
            whole = not (_goes_on(word, start) or _goes_on(word, end))
            if not all(_SIGNS.fullmatch(sign) for sign in signs):
                continue
            # 12.345 may be a measure.
            even = (
                not gaps
                or own
                or (len(signs) == 1 and len(known.letters) > 4 and not (signs == {"."} and len(gaps) == 1))
            )
            if whole and even:
                yield start, end, True
            elif len(known.letters) > 3:
                yield start, end, False


def _goes_on(word: FoldedText, place: int) -> bool:
    """Return whether a number or word goes on across `place`."""
    if not 0 < place < len(word.letters):
        return False
    digits = word.scripts[place - 1] == word.scripts[place] == "DIGIT"
    return word.edges[place] is Edge.NONE or (digits and word.gap(place) in (".", ","))
