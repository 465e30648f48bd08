"""What words alone decide about an answer: the same, contained, or in conflict; before any similarity.

The rules run in a fixed order and the first that applies decides, so that no similarity of meaning can make
yes a no, left a right, or 2 a 3. `None` means: nothing here decides, ask the embeddings. A `Decision` without
a label means that this judge cannot say, as the language is none it knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pefomed.evaluate.judges.offline_language import bare_yes_or_no, is_english
from pefomed.evaluate.judges.offline_quantities import MARK, unit_named
from pefomed.evaluate.judges.offline_text import key_of, readable
from pefomed.evaluate.judges.offline_words import CLASSES, MAY_BE_ADDED, ONLY_BETWEEN, SILENT, Text, taken_apart

RULES = 3
"""Raised when an answer may be decided otherwise than before; on the judge's card."""

NOT_JUDGED = "not judged"
"""How the reason of a verdict without a label begins."""


class Decision(NamedTuple):
    """1, 0, or None where this judge cannot say; and the rule's name."""

    label: int | None
    rule: str


def decide(question: str, reference: str, answer: str) -> Decision | None:
    """Return what the words decide, or None."""
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
    if (found := _yes_or_no(question, asked, wanted, given, answer)) is not None:
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
    return Decision(1, "the same text") if wanted == given else None


def unknown_language(reference: str, answer: str) -> Decision | None:
    """Return that this judge cannot say, if either text is not English."""
    if is_english(reference) and is_english(answer):
        return None
    return Decision(None, f"{NOT_JUDGED}: not in English")


def conflict_of(wanted: Text, given: Text, asked: Text | None = None) -> str | None:
    """Return how the words exclude each other, or None if they do not.

    Args:
        asked: the question; what it names alone (`left kidney`, not `left or right`) need not be repeated.
    """
    if (wanted.denials % 2) != (given.denials % 2):
        return "one denies, the other does not"
    if conflict := _conflict_between(wanted, given):
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


def _conflict_between(wanted: Text, given: Text) -> str | None:
    """Return how two texts that both name a word of a class exclude each other."""
    for name, theirs in wanted.listed.items():
        ours = given.listed.get(name, ())
        if name == "code":  # CD4 says nothing about T2; the same letters with another number do
            forms = {re.sub(r"\d+", "0", word) for word in theirs}
            ours = tuple(word for word in ours if re.sub(r"\d+", "0", word) in forms)
        # In order where there are several: `right lung, left` is not `left lung, right`.
        if ours and (set(theirs) != set(ours) or (len(set(theirs)) > 1 and theirs != ours)):
            return f"{_shown(ours)} for {_shown(theirs)}"
    return None


def _shown(words: tuple[str, ...]) -> str:
    return " ".join(words).replace(MARK, "")


def _same_words(wanted: Text, given: Text) -> bool:
    """Return whether two texts have the same parts, each of the same words, classes in the same order."""
    same = sorted(map(sorted, wanted.parts)) == sorted(map(sorted, given.parts))
    return same and not _conflict_between(wanted, given)


_RELATION = re.compile(
    r"\b(?:behind|than|over|under|beneath|before|after|into|through|above|below|caus\w+|compress\w*|invad\w*|displac\w*"
    r"|(?:anterior|posterior|superior|inferior|medial|lateral|left|right|proximal|distal|due|secondary) (?:to|of)"
    r"|in front of|on top of|from)\b|[<>\u2192]",
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
    theirs, ours = _polarity(wanted), _polarity(given)
    if theirs in ("yes", "no") and ours in ("yes", "no"):
        return Decision(int(theirs == ours), "yes or no")
    if conflict := _conflict_between(wanted, given):
        return Decision(0, conflict)
    return Decision(None, f"{NOT_JUDGED}: the question is not in English")


def _has_a_word(text: Text) -> bool:
    """Return whether a text says anything that similarity of meaning can be asked about."""
    return any(len(word) > 1 and word.isalpha() and word not in SILENT for word in text.words)


def _yes_or_no(question: str, asked: Text, wanted: Text, given: Text, answer: str) -> Decision | None:
    """Return a decision where the reference or the answer is a yes or a no."""
    theirs, ours = _polarity(wanted), _polarity(given)
    if theirs is None and ours is None:
        return None
    if theirs == "both" or ours == "both":
        return Decision(0, "yes and no at once")
    if theirs == ours and (conflict := _conflict_between(wanted, given)):
        return Decision(0, conflict)
    if theirs is None or ours is None:
        # Contrast or no contrast: a bare no is neither.
        if (theirs or ours) == "no" and not _OR.search(question) and _denies_all(asked, given if ours is None else wanted):
            return Decision(1, "nothing there")
        # One of them says what is there or not there; that is a yes or a no to the question whether it is.
        if not _ASKS_PRESENCE.search(question) or _OR.search(question):
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
    things = topics - _PLACES
    if things and named and not named - _PLACES:
        return None  # asked for a mass in the lung, `lung` is no yes
    about = any(_same_stem(word, topic) for word in named for topic in topics)
    # Asked whether there is anything abnormal, a finding is what there is.
    anything = not things - _ANYTHING and bool(topics & _ANYTHING) and any(map(_FINDING.search, named))
    return _implied(given) if about or (anything and len(named) <= 4) or not named else None


_FINDING = re.compile(
    r"(?:itis|oma|osis|emia|thorax|megaly|pathy|ectasis|ectasia|lith|iasis|plasia|uria|rrhage|stenosis|algia)s?$"
    r"|^(?:mass|nodule|lesion|tumou?r|cancer|effusion|opacit|opaci|edema|fractur|stone|cyst|infarct|atroph|pneumo|metasta"
    r"|abnormal|large|dilat|calcif|abscess|stroke|bleed|ischemi|aneurysm|consolidat|infiltrat|obstruct|occlusion"
    r"|hernia|thicken|polyp|collapse|thromb|embol|fluid|lymphad|swelling|deviat|displac|shift|hyper|hypo|disease|patholog"
    r"|defect|degenerat|rupture|tear|plaque|air|gas|scar|fibro|emphysem|congest|hydro|ascites|gliosis|pleural|contusion)"
)
"""How words of findings end or begin; by far not all."""

_TALK = frozenset("question answer option".split())
_ASKING = frozenset(
    """doe do did contain have has any which what how patient observed observe identified identify visualized
    visualised demonstrated demonstrate noted included exist existed""".split()
)
_PLACES = frozenset(
    """lung heart liver kidney spleen brain chest abdomen pelvis head neck stomach bladder pancreas colon bowel
    intestine rectum trachea esophagus spine bone eye diaphragm mediastinum lobe hemisphere aorta rib""".split()
).union(*(CLASSES[name] for name in ("side", "height", "depth", "lobe")))
"""Where something is: no finding."""



_OR = re.compile(r"\bor\b", re.IGNORECASE)
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
