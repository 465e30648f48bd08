"""What words alone decide about an answer: the same, contained, or in conflict; before any similarity.

The rules run in a fixed order and the first that applies decides, so that no similarity of meaning can make
yes a no, left a right, or 2 a 3. `None` means: nothing here decides, ask the embeddings. A `Decision` without
a label means that this judge cannot say, as the language is none it knows.
"""

from __future__ import annotations

import re

from pefomed.judges.offline_conflicts import NOT_JUDGED, Decision, conflict_between, conflict_of
from pefomed.judges.offline_language import bare_yes_or_no, is_english
from pefomed.judges.offline_quantities import MARK, unit_named
from pefomed.judges.offline_text import key_of, readable
from pefomed.judges.offline_vocabulary import CLASSES, MAY_BE_ADDED, SILENT
from pefomed.judges.offline_words import Text, taken_apart
from pefomed.judges.offline_yes_no import polarity, supplied, yes_or_no

RULES = 4
"""Raised when an answer may be decided otherwise than before; on the judge's card."""


def decide(question: str, reference: str, answer: str) -> Decision | None:
    """Return what the words decide, or None."""
    if (found := decide_as_text(reference, answer)) is not None:
        return found
    if (alone := _LEAD_IN.sub("", readable(answer))) != readable(answer):
        answer = alone
        if (found := decide_as_text(reference, answer)) is not None:
            return found
    theirs, ours = bare_yes_or_no(reference), bare_yes_or_no(answer)
    if theirs and ours and theirs[0] == ours[0]:
        return Decision(int(theirs == ours), "yes or no")
    if (strange := unknown_language(reference, answer)) is not None:
        return strange
    unit = unit_named(readable(question).lower())
    asked, wanted, given = taken_apart(question), taken_apart(reference, unit), taken_apart(answer, unit)
    if not wanted.parts:
        return Decision(None, f"{NOT_JUDGED}: the reference says nothing")
    if not given.parts:
        return Decision(0, "says nothing")
    wanted, given = _none_for_zero(wanted, given), _none_for_zero(given, wanted)
    if _same_words(wanted, given):
        if wanted.parts != given.parts and _RELATION.search(reference) and _RELATION.search(answer):
            return Decision(0, "the same words in another order")
        return Decision(1, "the same words")
    if not is_english(question):
        return _without_the_question(wanted, given)
    if (found := yes_or_no(question, asked, wanted, given, answer)) is not None:
        return found
    if conflict := conflict_of(wanted, given, asked):
        return Decision(0, conflict)
    if len(given.parts) > len(wanted.parts):
        return Decision(0, "names more than the reference")
    if (found := _contained(asked, wanted, given)) is not None:
        return found
    alike = _has_a_word(wanted) and _has_a_word(given)
    return None if alike else Decision(0, "another sign, letter or number")


def decide_as_text(reference: str, answer: str) -> Decision | None:
    """Return what is plain in any language: the same text is right, an empty one wrong."""
    wanted, given = key_of(reference), key_of(answer)
    if not wanted:
        return Decision(None, f"{NOT_JUDGED}: there is no reference")
    if not given:
        return Decision(0, "an empty answer")
    same = wanted == given or _LETTERS.get(wanted) == given or _LETTERS.get(given) == wanted
    return Decision(1, "the same text") if same else None


_LETTERS = {"l": "left", "r": "right", "m": "male", "f": "female"}
"""What a letter that is a whole answer means if the other one says so."""


def unknown_language(reference: str, answer: str) -> Decision | None:
    """Return that this judge cannot say, if either text is not English."""
    if is_english(reference) and is_english(answer):
        return None
    return Decision(None, f"{NOT_JUDGED}: not in English")


_LEAD_IN = re.compile(
    r"^(?:(?:the |my )?(?:(?:short|final|correct|best) )?answer(?: is)?\s*(?:[:=]\s*|(?<= is)\s+)"
    r"|(?:ans\.?|response|assistant|output|prediction|a)\s*[:=]\s*){1,3}(?=\S)",
    re.IGNORECASE,
)
"""What a model says before its answer, itself no part of it."""


def _same_words(wanted: Text, given: Text) -> bool:
    """Return whether two texts have the same parts, each of the same words, classes in the same order."""
    same = sorted(map(sorted, wanted.parts)) == sorted(map(sorted, given.parts))
    return same and not conflict_between(wanted, given)


_RELATION = re.compile(
    r"\b(?:behind|than|over|under|beneath|before|after|into|through|above|below|caus\w+|compress\w*|invad\w*|displac\w*"
    r"|(?:anterior|posterior|superior|inferior|medial|lateral|left|right|proximal|distal|due|secondary)"
    r" (?:to|of)"
    r"|in front of|on top of|from|without)\b|[<>\u2192]",
    re.IGNORECASE,
)
"""What makes a bag of words say something else in another order."""


def _none_for_zero(text: Text, other: Text) -> Text:
    """Return a text whose only number is 0 as one that denies, if the other one denies: 0 is none."""
    zero = f"{MARK}0"
    if text.listed.get("number") != (zero,) or text.denials or not other.denials or "number" in other.listed:
        return text
    parts = tuple(tuple("no" if word == zero else word for word in part) for part in text.parts)
    listed = {name: words for name, words in text.listed.items() if name != "number"}
    return Text(parts, 1, listed)


def _without_the_question(wanted: Text, given: Text) -> Decision | None:
    """Return what can be said if the question cannot be read: what excludes each other is wrong."""
    theirs, ours = polarity(wanted), polarity(given)
    if theirs in ("yes", "no") and ours in ("yes", "no"):
        return Decision(int(theirs == ours), "yes or no")
    if conflict := conflict_between(wanted, given):
        return Decision(0, conflict)
    return Decision(None, f"{NOT_JUDGED}: the question is not in English")


def _has_a_word(text: Text) -> bool:
    """Return whether a text says anything that similarity of meaning can be asked about."""
    return any(len(word) > 1 and word.isalpha() and word not in SILENT for word in text.words)


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
            if not supplied(asked, part):
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
    if set(given) < set(wanted) and supplied(asked, tuple(set(wanted) - set(given))):
        return "the rest is in the question"
    return None
