"""Whether a text is in English, as far as rules that change its words need to know."""

from __future__ import annotations

import re
import unicodedata

from pefomed.schema import Sample
from pefomed.tasks import BOXES

FOREIGN = "its language is not one whose words are known (English)"
"""Why a probe leaves a sample out."""

_SHORT = 3
"""Words up to which a text may hold none of the words below: `left lung`, `enlarged heart?`"""
_FUNCTION = frozenset(
    "a an the is are was were be been does do did has have had can could would should will may might of in on"
    " at to from by with and or not no yes any there this that these those it its what which where when who"
    " whose how why name describe".split()
)


def is_english(sample: Sample) -> bool:
    """Return whether the question of a sample is in English, by what its data set says and by its words.

    A phrase to be located is a name, in which Latin letters must do.
    """
    said = sample.meta.get("language", "en").casefold()
    if said not in ("en", "eng", "english") and not said.startswith("en-"):
        return False
    return reads_english(sample.question, named=sample.task in BOXES)


def reads_english(text: str, *, named: bool = False) -> bool:
    """Return whether a text has Latin letters alone and, if longer than a name, common English words."""
    if any(letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN") for letter in text):
        return False
    words = re.findall(r"[^\W\d_]+", text.casefold())
    known = sum(word in _FUNCTION for word in words)
    return known >= len(words) / 8 and known > 0 if len(words) > _SHORT and not named else True
