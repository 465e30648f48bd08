"""Decoding that can write nothing but well-formed boxes, for the tasks whose answer is boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.boxes import BoxFormat
from pefomed.boxes.grammar import may_end, may_go_on
from pefomed.boxes.notation import BoxNotation, mark_of
from pefomed.boxes.spelling import DIGITS
from pefomed.models.text_tokens import TextTokens
from pefomed.schema import Sample
from pefomed.tasks import BOXES, TASKS


class BoxVocabulary:
    """The tokens boxes are written with, and, where `none`, the answer that there is no box."""

    def __init__(self, tokenizer: Any, bins: int, none: bool = False, form: BoxNotation | None = None):
        self.tokenizer, self.none, self.form = tokenizer, none, form or BoxFormat(bins)
        self.spelling = self.form.spelling or DIGITS
        self.bins = self.spelling.bins or bins
        self.end = int(tokenizer.eos_token_id)
        # A token's own spelling, not its decoded text: that loses the space in front of a word.
        spelled = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        special = set(tokenizer.all_special_ids)
        alphabet = self.spelling.alphabet
        if " " in alphabet:  # as byte-level BPE and SentencePiece spell it
            spelled = [piece and piece.replace("\u0120", " ").replace("\u2581", " ") for piece in spelled]
        self.pieces = {
            token: piece
            for token, piece in enumerate(spelled)
            if piece and token not in special and alphabet.issuperset(piece)
        }
        self._known: dict[str, list[int]] = {}

    def constraint(self, sample: Sample) -> BoxConstraint | None:
        """Return what the answer to `sample` may be; None if it is not boxes."""
        if sample.task not in BOXES:
            return None
        mark = mark_of(self.form, sample.question) if TASKS[sample.task].names_phrase else ""
        return BoxConstraint(self, TextTokens(self.tokenizer)(mark) if mark else [])

    def following(self, text: str) -> list[int]:
        """Return the tokens that may follow the boxes `text`."""
        if text not in self._known:
            allowed = [token for token, piece in self.pieces.items() if self._may(text + piece)]
            ends = may_end(text, self.bins, self.none, self.spelling)
            self._known[text] = allowed + [self.end] * ends
        return self._known[text]

    def _may(self, text: str) -> bool:
        return may_go_on(text, self.bins, self.none, self.spelling)


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
