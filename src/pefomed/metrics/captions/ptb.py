"""The Penn Treebank tokenizer of pycocoevalcap in Python: lower case, punctuation dropped.

pycocoevalcap runs Stanford's PTBTokenizer 3.4.1 (Java) with `-preserveLines -lowerCase` and drops a list of
punctuation tokens; brackets stay, as `-lrb-`, because that list has them in capitals. This module was made
by observing that program: at each place the longest of the patterns below makes the token, the earlier of
equals; tests compare with it. Two differences on purpose: every sentence is tokenised alone, where the
program looks past a line's end (`vitamin D.` loses its full stop if the *next* sentence begins with `The`),
and a line break of any kind is a space.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable

from pefomed.metrics.captions import ptb_words as words
from pefomed.metrics.captions.ptb_patterns import longest, patterns

DROPPED = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""pycocoevalcap's list of punctuation."""


def tokenize(text: str) -> list[str]:
    """Return the tokens of one sentence or report; a fraction such as `3 1/2` keeps a no-break space."""
    line = _LINE_ENDS.sub(" ", text) + "\n"
    tokens: list[str] = []
    place, end = 0, len(line) - 1
    while place < end:
        if line[place] in _SPACES:
            place += 1
            continue
        alone = _ALONE.match(line, place) if place == 0 or line[place - 1] in _SPACES else None
        word = alone[0] if alone else ""
        if word and (word[-1] != "." or _CONTEXT.search(word) is None):
            tokens += _word_tokens(word)
            place += len(word)
        else:
            token, place = longest(patterns(), line, place)
            tokens += _kept(token)
    return tokens


_LINE_ENDS = re.compile("\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACES = frozenset(" \t\xa0\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
# What stands between spaces and mostly needs no look at what is around it: words, marks, and what holds
# digits but is not followed by another number (`3 1/2`, `555 1234 567`).
_ALONE = re.compile(
    "[A-Za-z(\"'][A-Za-z.,;:()'\"/-]*(?=[ \n])|[.,;:](?=[ \n])"
    "|[A-Za-z0-9(\"'][A-Za-z0-9.,;:()'\"/%-]*(?=[ \n]+(?![0-9(+ \xa0]))"
)
# Except for what may be an abbreviation before some words or numbers only.
_CONTEXT = re.compile(
    rf"(?<![A-Za-z])(?:[A-Za-z]|{'|'.join(sorted(words.BEFORE_NUMBERS))})\.$", re.IGNORECASE
)


@functools.lru_cache(maxsize=100_000)
def _word_tokens(word: str) -> tuple[str, ...]:
    line = word + " \n"
    tokens: list[str] = []
    place = 0
    while place < len(word):
        token, place = longest(patterns(), line, place)
        tokens += _kept(token)
    return tuple(tokens)


def _kept(found: Iterable[str]) -> Iterable[str]:
    lower = (token.lower().replace("\xad", "") for token in found)
    # Interned: a corpus has millions of tokens and thousands of different ones.
    return [sys.intern(token) for token in lower if token and token not in DROPPED]
