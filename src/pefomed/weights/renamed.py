"""A tokenizer's twin in which control tokens have other names, so that text cannot spell them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tokenizers import Tokenizer


class Renamed:
    """The twin of a tokenizer of transformers; it gives the same numbers.

    Args:
        controls: number of each control token, by its text.
        mark: a character that stands on both sides of a new name; data may not hold it.
    """

    def __init__(self, tokenizer: Any, controls: Mapping[str, int], mark: str):
        self._tokenizer, self._controls, self._mark = tokenizer, controls, mark
        self._names = {text: f"{mark}{number}{mark}" for text, number in controls.items()}
        self._spelled = spelling(controls)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        self._twin = _twin(backend, self._names) if isinstance(backend, Tokenizer) else None

    def in_text(self, text: str) -> str:
        """Return `text`, of which all control tokens are the program's, with their new names."""
        return self._spelled.sub(lambda found: self._names[found[0]], text)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text: those of new names, and of every other character."""
        if self._twin is not None:
            return self._twin.encode(text, add_special_tokens=False).ids
        found: list[int] = []
        for place, part in enumerate(re.split(f"{self._mark}([0-9]+){self._mark}", text)):
            found += [int(part)] if place % 2 else self._plain(part)
        return found

    def _plain(self, text: str) -> list[int]:
        """Return the tokens of a text without control tokens, by a tokenizer that is written in Python."""
        call = self._tokenizer
        tokens: list[int] = call(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if text and not set(self._controls.values()).isdisjoint(tokens):
            parts = re.split(f"({self._spelled.pattern})", text)
            letters = (letter for place, part in enumerate(parts) for letter in ([part], part)[place % 2])
            tokens = [
                token
                for letter in letters
                if letter
                for token in call(letter, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            ]
        return tokens


def spelling(controls: Iterable[str]) -> re.Pattern[str]:
    """Return what finds control tokens in a text, the longest first, as a tokenizer does."""
    return re.compile("|".join(map(re.escape, sorted(controls, key=len, reverse=True))) or "(?!)")


def _twin(backend: Tokenizer, names: Mapping[str, str]) -> Tokenizer:
    """Return a tokenizer that is `backend` but for the names of some tokens, of the same numbers."""
    made = json.loads(backend.to_str())
    for token in made["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = made["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(text, text): number for text, number in model["vocab"].items()}
    else:  # of a unigram model: pieces and their scores
        model["vocab"] = [[names.get(text, text), score] for text, score in model["vocab"]]
    if model.get("unk_token") is not None:
        model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
    if "merges" in model:
        pairs = (pair.split(" ", 1) if isinstance(pair, str) else pair for pair in model["merges"])
        # What would put a control token together out of characters, or go on from one.
        model["merges"] = [p for p in pairs if not {*p, "".join(p)} & names.keys()]
    twin = Tokenizer.from_str(json.dumps(made))
    twin.no_truncation()
    twin.no_padding()
    twin.encode_special_tokens = False
    assert all(twin.token_to_id(name) == backend.token_to_id(text) for text, name in names.items())
    return twin
