"""Answers where the reference or the answer is a yes or a no, or says what amounts to one."""

from __future__ import annotations

import re

from pefomed.judges.offline_conflicts import Decision, conflict_between
from pefomed.judges.offline_vocabulary import CLASSES
from pefomed.judges.offline_words import Text


def yes_or_no(question: str, asked: Text, wanted: Text, given: Text, answer: str) -> Decision | None:
    """Return a decision where the reference or the answer is a yes or a no."""
    theirs, ours = polarity(wanted), polarity(given)
    if theirs is None and ours is None:
        return None
    if theirs == "both" or ours == "both":
        return Decision(0, "yes and no at once")
    if theirs == ours and (conflict := conflict_between(wanted, given)):
        return Decision(0, conflict)
    if theirs is None or ours is None:
        # Contrast or no contrast: a bare no is neither.
        if (
            (theirs or ours) == "no"
            and not _OR.search(question)
            and _denies_all(asked, given if ours is None else wanted)
        ):
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
    return text.denials % 2 == 1 and supplied(asked, rest)


_ANYTHING = frozenset("disease abnormality abnormal finding lesion anything pathology acute".split())


def polarity(text: Text) -> str | None:
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
    """lung heart liver kidney spleen brain chest abdomen pelvis head neck stomach bladder pancreas colon
    bowel intestine rectum trachea esophagus spine bone eye diaphragm mediastinum lobe hemisphere aorta
    rib""".split()
).union(*(CLASSES[name] for name in ("side", "height", "depth", "lobe")))
"""Where something is: no finding."""


_OR = re.compile(r"\bor\b", re.IGNORECASE)
_ASKS_PRESENCE = re.compile(
    r"^\s*(?:is|are|was|were|does|do|did|can|could|has|have)\b.*\b(?:there|present|seen|visible|visuali[sz]ed|contain"
    r"|evidence|show|exist|appear|observed?|identified|demonstrated?|noted|included)",
    re.IGNORECASE | re.DOTALL,
)


def supplied(asked: Text, words: tuple[str, ...]) -> bool:
    return all(any(_same_stem(word, other) for other in asked.words) for word in words)


def _same_stem(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) >= 6 and one[:6] == other[:6])
