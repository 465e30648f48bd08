"""The text of an answer while its tokens come: pieces that joined are the text, each whole characters.

A token may be a part of a character (bytes of UTF-8), and what white space means is known only when something
follows it: both wait. Of a tokenizer that tidies spaces up, which changes what was said before, there is one
piece, the whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_BROKEN = "\ufffd"
"""Stands for bytes that are no character, or not yet one."""


def text_of(tokenizer: Any, tokens: Sequence[int]) -> str:
    """Return an answer's text: its tokens but for the end's and others that are no text."""
    end = int(tokenizer.eos_token_id)
    kept = [token for token in tokens if token != end]
    return tokenizer.decode(kept, skip_special_tokens=True).strip()  # type: ignore[no-any-return]


class TextPieces:
    """One answer's text, piece by piece."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self._waits = bool(getattr(tokenizer, "clean_up_tokenization_spaces", False))
        self._said = ""

    def next(self, tokens: Sequence[int], *, done: bool) -> str:
        """Return what is new of the text of `tokens`, which are all of the answer so far; often nothing."""
        text = text_of(self._tokenizer, tokens)
        if not done:
            text = "" if self._waits else _certain(text)
        if not text.startswith(self._said):
            return ""
        new = text[len(self._said) :]
        self._said = text
        return new


def _certain(text: str) -> str:
    """Return the beginning of `text` that stays whatever follows."""
    while text and (text[-1].isspace() or text[-1] == _BROKEN):
        text = text.rstrip().rstrip(_BROKEN)
    return text
