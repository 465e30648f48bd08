"""Whether answers are sentences, of which exact match says nothing: `Yes, there is a mass.` is not `yes`."""

from __future__ import annotations

import re
from collections.abc import Sequence

WORDS = 5
"""From so many words on an answer is a sentence."""

MOST_EQUAL = 0.05
"""Where more of the sentences than this share equal their reference, exact match does say something."""

_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1780-\u17ff]")
"""Characters of scripts written without spaces; two of them count as a word."""


def in_sentences(answers: Sequence[str], right: Sequence[bool]) -> bool:
    """Return whether at least half of the answers are sentences, and hardly any of them its reference.

    Args:
        right: whether each answer is its reference, by exact match.
    """
    spoken = [is_right for text, is_right in zip(answers, right, strict=True) if _length(text) >= WORDS]
    if not spoken or 2 * len(spoken) < len(answers):
        return False
    return sum(spoken) <= MOST_EQUAL * len(spoken)


def _length(text: str) -> float:
    """Return the length in words."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + unspaced / 2
