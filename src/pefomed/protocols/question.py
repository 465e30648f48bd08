"""A question and its answer as protocols see them: its language, whether it is closed, what a judge said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question with one system's answer."""

    id: str
    references: tuple[str, ...]
    """Each as right as the first."""
    answer: str
    answer_type: str
    """`OPEN`, `CLOSED`, or empty where the data set does not say."""
    language: str
    """`en`, `zh`, or another script's name."""
    label: float | None = None
    """A judge's mean label, 0 to 1."""

    @property
    def is_yes_or_no(self) -> bool:
        return self.references[0].strip().lower() in ("yes", "no")


def language_of(question: str, reference: str, meta: Mapping[str, str]) -> str:
    """Return `en`, `zh` or another language, as the data set says it or else by the script.

    Latin letters are taken for English: which other language they are cannot be seen in a few words.
    """
    for key in ("language", "q_lang", "lang"):
        if said := meta.get(key, "").strip().lower():
            return _named(said)
    text = f"{question} {reference}"
    return next((name for name, letters in _SCRIPTS if letters.search(text)), "en")


def _named(said: str) -> str:
    """Return `en` or `zh` of its names and regions (`en-GB`, `zh_Hant`), any other as it is."""
    first = re.split(r"[-_ (]", said)[0]
    return _NAMES.get(said, _NAMES.get(first, said))


_NAMES = {
    "en": "en", "eng": "en", "english": "en", "\u82f1\u6587": "en",
    "zh": "zh", "zho": "zh", "chi": "zh", "cn": "zh", "chinese": "zh", "mandarin": "zh", "\u4e2d\u6587": "zh",
}  # fmt: skip

# Kana first: Japanese has Chinese characters too.
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")),
    ("in Cyrillic letters", re.compile("[\u0400-\u052f]")),
    ("in Arabic letters", re.compile("[\u0600-\u06ff]")),
    ("in Indian letters", re.compile("[\u0900-\u0dff]")),
    ("in Greek letters", re.compile("[\u03b1-\u03c9]{3}")),
    ("in Thai letters", re.compile("[\u0e00-\u0e7f]")),
    ("in Hebrew letters", re.compile("[\u0590-\u05ff]")),
)
