"""Text to tokens in which control tokens are the program's alone: a user's text is data, whatever it says.

`</s>` or `<|im_end|>` in a question, a reference or an instruction becomes the tokens of its characters. Text
in which nothing looks like a control token is tokenised by the tokenizer as it is. Only the rest goes through
a second one, which knows the control tokens by other names (`renamed`): the program's own are renamed in the
text before, so that one pass over the whole finds them and no others.

A control token is one that the tokenizer calls special, or that its chat template writes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from pefomed.errors import DataError
from pefomed.weights.renamed import Renamed, spelling

IMAGE_PLACE = "<ImageHere>"

Shield = Callable[[str], str]
"""Takes data and returns what stands for it while a prompt is written."""

_MARKS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
"""Code points that Unicode promises never to use."""


class TextTokens:
    """The tokens of texts, by a tokenizer of transformers."""

    def __init__(self, tokenizer: Any):
        self.tokenizer = tokenizer
        self._renamed: dict[str, Renamed] = {}

    def __call__(self, text: str) -> list[int]:
        """Return the tokens of a text that is data throughout."""
        return self.each([text])[0]

    def each(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of several such texts."""
        plain: list[list[int]] = self.tokenizer([*texts], add_special_tokens=False)["input_ids"]
        return [
            tokens
            if self._spelled.search(text) is None and self._ids.isdisjoint(tokens)
            else self._with(_mark(text)).tokens(text)
            for text, tokens in zip(texts, plain, strict=True)
        ]

    def of_prompt(self, write: Callable[[Shield], str]) -> list[list[int]]:
        """Return the tokens before, between and behind the images of a prompt.

        Args:
            write: returns the prompt's text; all data in it has gone through the function that it is given.

        Raises:
            DataError: the data holds all code points that could mark what is hidden in it.
        """
        hidden = _Hidden(re.compile(f"{self._spelled.pattern}|{re.escape(IMAGE_PLACE)}"))
        pieces = write(hidden).split(IMAGE_PLACE)
        if not hidden.texts:
            return [self._piece(piece) for piece in pieces]
        other = self._with(hidden.mark)
        return [other.tokens(hidden.restored(other.in_text(piece))) for piece in pieces]

    def as_it_is(self, text: str) -> list[int]:
        """Return the tokens of a text that is the program's own throughout, by the tokenizer alone."""
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        return tokens

    def _piece(self, text: str) -> list[int]:
        """Return the tokens of a piece whose data spells no control token."""
        tokens = self._remembered(text)
        if self._ids.isdisjoint(tokens):
            return tokens
        # More of them than are written: a normaliser has made one of other characters, of full width for one.
        if sum(token in self._ids for token in tokens) > len(self._spelled.findall(text)):
            other = self._with(_mark(text))
            return other.tokens(other.in_text(text))
        return tokens

    def _with(self, mark: str) -> Renamed:
        if mark not in self._renamed:
            self._renamed[mark] = Renamed(self.tokenizer, self._controls, mark)
        return self._renamed[mark]

    @functools.cached_property
    def _controls(self) -> dict[str, int]:
        """The control tokens by their text."""
        tokenizer = self.tokenizer
        template = getattr(tokenizer, "chat_template", None) or ""
        template = template if isinstance(template, str) else "".join(template.values())
        controls = {
            token.content: number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special or (token.content.strip() and token.content in template)
        }
        for text in tokenizer.all_special_tokens:
            controls.setdefault(text, tokenizer.convert_tokens_to_ids(text))
        return controls

    @functools.cached_property
    def _ids(self) -> frozenset[int]:
        """Those that no text without them can give; what stands for unknown characters can come of any."""
        unknown = self.tokenizer.unk_token_id
        roles = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id)
        return frozenset(self._controls.values()) - ({unknown} - {*roles})

    @functools.cached_property
    def _spelled(self) -> re.Pattern[str]:
        return spelling(self._controls)

    @functools.cached_property
    def _remembered(self) -> Callable[[str], list[int]]:
        return functools.lru_cache(PIECES)(self.as_it_is)


PIECES = 4096
"""Texts whose tokens are remembered: most are instructions, and recur with every sample."""


class _Hidden:
    """What of a prompt's data is hidden while the prompt is written: numbers between marks stand for it."""

    def __init__(self, pattern: re.Pattern[str]):
        self._pattern = pattern
        self.texts: list[str] = []
        self.mark = ""

    def __call__(self, data: str) -> str:
        if self._pattern.search(data) is None:
            return data
        self.mark = _mark(data)
        return self._pattern.sub(self._hide, data)

    def restored(self, text: str) -> str:
        """Return the text with its data."""
        return re.sub(f"{self.mark}h([0-9]+){self.mark}", lambda found: self.texts[int(found[1])], text)

    def _hide(self, found: re.Match[str]) -> str:
        self.texts.append(found[0])
        return f"{self.mark}h{len(self.texts) - 1}{self.mark}"


def _mark(data: str) -> str:
    """Return a code point that the data does not hold."""
    free = next((mark for mark in _MARKS if mark not in data), None)
    if free is None:
        raise DataError(
            "a text holds all 32 code points that Unicode keeps from being characters",
            remedy="it is no text: look at the file that it comes from",
        )
    return free
