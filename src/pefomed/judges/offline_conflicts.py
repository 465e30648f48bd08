"""How the words of two texts exclude each other."""

from __future__ import annotations

import re
from typing import NamedTuple

from pefomed.judges.offline_quantities import MARK
from pefomed.judges.offline_vocabulary import MAY_BE_ADDED, ONLY_BETWEEN, OPPOSED
from pefomed.judges.offline_words import FORMS, Text

NOT_JUDGED = "not judged"
"""How the reason of a verdict without a label begins."""


class Decision(NamedTuple):
    """1, 0, or None where this judge cannot say; and the rule's name."""

    label: int | None
    rule: str


def conflict_of(wanted: Text, given: Text, asked: Text | None = None) -> str | None:
    """Return how the words exclude each other, or None if they do not.

    Args:
        asked: the question; what it names alone (`left kidney`, not `left or right`) need not be repeated.
    """
    if (wanted.denials % 2) != (given.denials % 2):
        return "one denies, the other does not"
    if conflict := conflict_between(wanted, given):
        return conflict
    for name in dict.fromkeys([*wanted.listed, *given.listed]):
        theirs, ours = wanted.listed.get(name, ()), given.listed.get(name, ())
        if (theirs and ours) or name in ONLY_BETWEEN:
            continue
        named = set(asked.listed.get(name, ())) if asked else set()
        if theirs and not (set(theirs) == named and len(named) == 1):
            return f"leaves out {_shown(theirs)}"
        if ours and name not in MAY_BE_ADDED and not (set(ours) == named and len(named) == 1):
            return f"adds {_shown(ours)}"
    return None


def conflict_between(wanted: Text, given: Text) -> str | None:
    """Return how two texts that both name a word of a class exclude each other."""
    for name, theirs in wanted.listed.items():
        ours = given.listed.get(name, ())
        if name == "code":  # CD4 says nothing about T2; the same letters with another number do
            forms = {re.sub(r"\d+", "0", word) for word in theirs}
            ours = tuple(word for word in ours if re.sub(r"\d+", "0", word) in forms)
        # In order where there are several: `right lung, left` is not `left lung, right`.
        if name in FORMS and ours and sorted(theirs) != sorted(ours):  # 5 and 5 are not 5
            return f"{_shown(ours)} for {_shown(theirs)}"
        if ours and (set(theirs) != set(ours) or (len(set(theirs)) > 1 and theirs != ours)):
            return f"{_shown(ours)} for {_shown(theirs)}"
    only = sorted(wanted.words - given.words), sorted(given.words - wanted.words)
    return next(
        (f"{ours} for {theirs}" for theirs in only[0] for ours in only[1] if _opposed(theirs, ours)), None
    )


def _opposed(one: str, other: str) -> bool:
    """Return whether two words differ in a beginning that says the opposite: `stable`, `unstable`."""
    size = _common_end(one, other)
    if size < _REST:
        return False
    begins = {one[:-size], other[:-size]}
    # `subepidural`, `epidural`: what is common may begin with more of the beginnings.
    return any(begins <= opposed for opposed in OPPOSED) or any(
        {begin + one[len(one) - size : len(one) - size + more] for begin in begins} <= opposed
        for opposed in OPPOSED
        for more in range(1, min(3, size - _REST) + 1)
    )


_REST = 4


def _common_end(one: str, other: str) -> int:
    size = 0
    while size < min(len(one), len(other)) and one[-1 - size] == other[-1 - size]:
        size += 1
    return size


def _shown(words: tuple[str, ...]) -> str:
    return " ".join(words).replace(MARK, "")
