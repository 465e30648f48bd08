"""How reports and captions become tokens before BLEU, ROUGE-L, CIDEr and METEOR; always side by side.

`coco-ptb`: the raw text through the Penn Treebank tokenizer as in pycocoevalcap (see `ptb`).
`r2gen`: the cleaning of R2Gen (Chen et al., EMNLP 2020; https://github.com/cuhksz-nlp/R2Gen,
modules/tokenizers.py) for IU-Xray and MIMIC-CXR, words split at spaces, at most 60 of them. Line breaks,
repeated spaces and repeated underscores are folded first as it does for MIMIC-CXR; texts without any come
out the same by both of its functions. Not done: R2Gen's `<unk>` for words rare in its training
split. Its limit of 60 counts a start mark, so that R2Gen itself keeps one word less.
`as-given`: the text in lower case, split at spaces, nothing else: for texts that were tokenised before. Much
published work scores what its own decoder wrote, marks and full stops as they stand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from pefomed.metrics.captions.ptb import tokenize

MOST_WORDS = 60


class Preset(NamedTuple):
    """A way of making tokens."""

    name: str
    suffix: str
    """What a metric's name ends in."""
    tokens: Callable[[str], list[str]]
    tokenizer: str
    """What it does, as scores say it."""


def r2gen(text: str) -> list[str]:
    """Return the words of a report after R2Gen's cleaning, at most 60; a sentence ends in ` . `."""
    folded = _UNDERSCORES.sub("_", text.replace("\n", " "))
    folded = _SPACES.sub(" ", folded)
    folded = _FULL_STOPS.sub(".", folded)
    folded = folded.replace("1. ", "")
    for before in (". ", " "):  # list numbers within a text: first those that follow a sentence
        for number in "2345":
            folded = folded.replace(f"{before}{number}. ", ". ")
    sentences = folded.strip().lower().split(". ")
    cleaned = (_REMOVED.sub("", sentence.strip()) for sentence in sentences)
    # Interned: a corpus has millions of words and thousands of different ones.
    return list(map(sys.intern, (" . ".join(cleaned) + " .").split()[:MOST_WORDS]))


def as_given(text: str) -> list[str]:
    """Return what stands between the spaces of a text, in lower case."""
    return list(map(sys.intern, text.lower().split()))


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "coco-ptb", "", tokenize, "PTB tokenizer as Stanford's 3.4.1, lower case, punctuation dropped"
        ),
        Preset("r2gen", "_r2gen", r2gen, f"R2Gen's cleaning, lower case, at most {MOST_WORDS} words"),
        Preset("as-given", "_given", as_given, "lower case, split at spaces, punctuation as it stands"),
    )
}

_UNDERSCORES = re.compile("__+")
_SPACES = re.compile("  +")
_FULL_STOPS = re.compile(r"\.\.+")

# R2Gen's character class reads `:-\[`, a range: it takes `;<=>?@` too, and leaves the hyphen.
_REMOVED = re.compile(r"""[.,?;*!%^&_+():<=>@\[\]{}"'/\\]""")
