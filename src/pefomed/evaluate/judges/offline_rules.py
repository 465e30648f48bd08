"""What words alone decide about an answer: the same, contained, or in conflict; before any similarity.

The rules run in a fixed order and the first that applies decides, so that no similarity of meaning can make
yes a no, left a right, or 2 a 3. `None` means: nothing here decides, ask the embeddings.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pefomed.evaluate.judges.offline_words import CLASSES, MAY_BE_ADDED, Text, taken_apart

RULES = 2
"""Raised when an answer may be decided otherwise than before; on the judge's card."""


class Decision(NamedTuple):
    """1 or 0 and the rule's name."""

    label: int
    rule: str


def decide(question: str, reference: str, answer: str) -> Decision | None:
    """Return what the words decide, or None."""
    asked, wanted, given = taken_apart(question), taken_apart(reference), taken_apart(answer)
    if not answer.strip():
        return Decision(0, "an empty answer")
    if sorted(map(sorted, wanted.parts)) == sorted(map(sorted, given.parts)):
        return Decision(1, "the same words")
    if (found := _yes_or_no(question, asked, wanted, given, answer)) is not None:
        return found
    if conflict := conflict_of(wanted, given, asked):
        return Decision(0, conflict)
    if len(given.parts) > len(wanted.parts):
        return Decision(0, "names more than the reference")
    return _contained(asked, wanted, given)


def conflict_of(wanted: Text, given: Text, asked: Text | None = None) -> str | None:
    """Return how the words exclude each other, or None if they do not.

    Args:
        asked: the question; what it names alone (`left kidney`, not `left or right`) need not be repeated.
    """
    if (wanted.denials % 2) != (given.denials % 2):
        return "one denies, the other does not"
    for name in dict.fromkeys([*wanted.listed, *given.listed]):
        theirs, ours = wanted.listed.get(name, ()), given.listed.get(name, ())
        named = set(asked.listed.get(name, ())) if asked else set()
        if theirs and ours:
            # In order where there are several: `right lung, left` is not `left lung, right`.
            if set(theirs) != set(ours) or (len(set(theirs)) > 1 and theirs != ours):
                return f"{' '.join(ours)} for {' '.join(theirs)}"
        elif theirs and not (set(theirs) == named and len(named) == 1):
            return f"leaves out {' '.join(theirs)}"
        elif ours and name not in MAY_BE_ADDED and not (set(ours) == named and len(named) == 1):
            return f"adds {' '.join(ours)}"
    return None


def _yes_or_no(question: str, asked: Text, wanted: Text, given: Text, answer: str) -> Decision | None:
    """Return a decision where the reference or the answer is a yes or a no."""
    theirs, ours = _polarity(wanted), _polarity(given)
    if theirs is None and ours is None:
        return None
    if theirs == "both" or ours == "both":
        return Decision(0, "yes and no at once")
    if theirs is None or ours is None:
        if (theirs or ours) == "no" and _denies_all(asked, given if ours is None else wanted):
            return Decision(1, "nothing there")
        # One of them says what is there or not there; that is a yes or a no to the question whether it is.
        if not _ASKS_PRESENCE.search(question) or re.search(r"\bor\b", question):
            return Decision(0, "a yes or no beside something else")
        theirs = theirs or _implied(wanted)
        ours = ours or _said(asked, given, answer)
        if ours is None:
            return Decision(0, "says neither yes nor no")
    return Decision(int(theirs == ours), "yes or no")


def _denies_all(asked: Text, text: Text) -> bool:
    """Return whether a text denies only what the question is about: `no disease`, like `none`."""
    rest = tuple(word for word in text.words if word not in _ANYTHING)
    return text.denials % 2 == 1 and _supplied(asked, rest)


_ANYTHING = frozenset("disease abnormality abnormal finding lesion anything pathology acute".split())


def _polarity(text: Text) -> str | None:
    """Return yes, no or both for a text that begins so, None for any other."""
    if not text.parts:
        return None
    first = text.parts[0]
    says_yes = any(part[0] == "yes" for part in text.parts)
    says_no = any(part == ("no",) for part in text.parts)
    if says_yes and says_no:
        return "both"
    if first[0] == "yes":
        return "yes"
    return "no" if first == ("no",) else None


def _implied(text: Text) -> str:
    return "no" if text.denials % 2 else "yes"


def _said(asked: Text, given: Text, answer: str) -> str | None:
    """Return the yes or no that an answer without either word means; None if it does not speak of it.

    Talk that names nothing of the question is no yes: an untrained model says much that denies nothing.
    """
    if "?" in answer or given.denials > 1:
        return None
    named = given.words
    if named & _TALK:
        return None
    topics = asked.words - _ASKING
    about = any(_same_stem(word, topic) for word in named for topic in topics)
    # Asked whether there is anything abnormal, whatever is named is what there is.
    anything = bool(topics & _ANYTHING) and len(named) <= 4 and not given.listed.get("number")
    return _implied(given) if about or anything or not named else None


_TALK = frozenset("question answer option".split())
_ASKING = frozenset("doe do did contain have has any which what how patient".split())


_ASKS_PRESENCE = re.compile(
    r"^\s*(?:is|are|was|were|does|do|did|can|could|has|have)\b.*\b(?:there|present|seen|visible|visuali[sz]ed|contain"
    r"|evidence|show|exist|appear|observed?|identified|demonstrated?|noted|included)",
    re.IGNORECASE | re.DOTALL,
)


def _contained(asked: Text, wanted: Text, given: Text) -> Decision | None:
    """Return right if every part of the reference has its part of the answer, None otherwise."""
    left = list(given.parts)
    rule = ""
    for part in wanted.parts:
        for other in left:
            if found := _covers(asked, part, other):
                left.remove(other)
                rule = max(rule, found)
                break
        else:
            if not _supplied(asked, part):
                return Decision(0, "leaves out a part") if len(left) < len(wanted.parts) else None
    return None if left or not rule else Decision(1, rule)


def _covers(asked: Text, wanted: tuple[str, ...], given: tuple[str, ...]) -> str | None:
    """Return the rule by which one part of an answer gives one part of the reference, else None."""
    if set(wanted) == set(given):
        return "contained"
    may_go = {word for name in MAY_BE_ADDED for word in CLASSES[name]} | {"weighted"}
    bare = tuple(word for word in given if word in wanted or word not in may_go)
    if set(wanted) == set(bare) or (set(wanted) < set(bare) and bare[-1] == wanted[-1]):
        return (
            "more specific"  # the last word is what it is: a chest x-ray is an x-ray, liver cancer no liver
        )
    if set(given) < set(wanted) and _supplied(asked, tuple(set(wanted) - set(given))):
        return "the rest is in the question"
    return None


def _supplied(asked: Text, words: tuple[str, ...]) -> bool:
    return all(any(_same_stem(word, other) for other in asked.words) for word in words)


def _same_stem(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) >= 6 and one[:6] == other[:6])
