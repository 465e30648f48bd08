"""Token F1 as SQuAD defines it (Rajpurkar et al., EMNLP 2016), for figures called `tokenized F1`.

Lower case, marks of punctuation deleted, articles deleted, words between spaces. With c words in
common, each as often as it occurs, p in the answer and r in the reference: 2 c / (p + r).
"""

from __future__ import annotations

import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


def token_f1(reference: str, answer: str) -> float:
    """Return the F1 of the words of both; nothing is never right."""
    wanted, said = Counter(_words(reference)), Counter(_words(answer))
    common = (wanted & said).total()
    return 2 * common / (wanted.total() + said.total()) if common else 0.0


def token_equal(reference: str, answer: str) -> bool:
    """Return whether both have the same words in the same order."""
    wanted = _words(reference)
    return bool(wanted) and wanted == _words(answer)


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_MARKS)).split()
