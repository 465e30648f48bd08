"""Decoding that can write nothing but well-formed boxes, for the tasks whose answer is boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.boxes.grammar import ALPHABET, may_end, may_go_on
from pefomed.boxes.marks import tagged_phrase
from pefomed.models.text_tokens import TextTokens
from pefomed.schema import Sample
from pefomed.tasks import BOXES, TASKS


class BoxVocabulary:
    """The tokens boxes are written with, and, where `none`, the answer that there is no box."""

    def __init__(self, tokenizer: Any, bins: int, none: bool = False):
        self.tokenizer, self.bins, self.none = tokenizer, bins, none
        self.end = int(tokenizer.eos_token_id)
        # A token's own spelling, not its decoded text: that loses the space in front of a word.
        spelled = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        special = set(tokenizer.all_special_ids)
        self.pieces = {
            token: piece
            for token, piece in enumerate(spelled)
            if piece and token not in special and ALPHABET.issuperset(piece)
        }
        self._known: dict[str, list[int]] = {}

    def constraint(self, sample: Sample) -> BoxConstraint | None:
        """Return what the answer to `sample` may be; None if it is not boxes."""
        if sample.task not in BOXES:
            return None
        mark = tagged_phrase(sample.question) if TASKS[sample.task].names_phrase else ""
        return BoxConstraint(self, TextTokens(self.tokenizer)(mark) if mark else [])

    def following(self, text: str) -> list[int]:
        """Return the tokens that may follow the boxes `text`."""
        if text not in self._known:
            allowed = [token for token, piece in self.pieces.items() if self._may(text + piece)]
            self._known[text] = allowed + [self.end] * may_end(text, self.bins, self.none)
        return self._known[text]

    def _may(self, text: str) -> bool:
        return may_go_on(text, self.bins, self.none)


class BoxConstraint:
    """What one answer may be: first the tokens of its mark, then boxes."""

    def __init__(self, vocabulary: BoxVocabulary, mark: Sequence[int]):
        self.vocabulary, self.mark = vocabulary, tuple(mark)

    def allowed(self, tokens: Sequence[int]) -> Sequence[int]:
        """Return the tokens that may follow `tokens`."""
        if len(tokens) < len(self.mark):
            return self.mark[len(tokens) : len(tokens) + 1]
        text = "".join(self.vocabulary.pieces[token] for token in tokens[len(self.mark) :])
        return self.vocabulary.following(text)
