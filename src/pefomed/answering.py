"""How the answers of a recipe are decoded: greedy, or boxes chosen by more than their likeliest tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pefomed.batch import Row, Tokens
from pefomed.box_consensus import DRAWS, consensus_boxes
from pefomed.box_decoding import BoxVocabulary
from pefomed.box_median import DIGITS, TOKENS, median_boxes
from pefomed.boxes.tasks import ASKED
from pefomed.decoding import Answer, greedy
from pefomed.recipe import Recipe


class Answering:
    """The decoding that a recipe asks for."""

    def __init__(self, recipe: Recipe, tokenizer: Any):
        self.how, self.tokenizer = recipe.predict, tokenizer
        self.spelling = TOKENS if recipe.model.location_tokens else DIGITS
        # Looked up once: every token is read for it.
        needed = self.how.constrain_boxes or self.how.box_choice == "consensus"
        self.bins = recipe.prompt.box_bins
        self.boxes = BoxVocabulary(tokenizer, self.bins) if needed else None

    def groups(self, sequences: Sequence[Tokens]) -> tuple[list[Tokens], list[Tokens]]:
        """Return the sequences that are decoded greedily, and those whose boxes are weighed."""
        likeliest = [one for one in sequences if not self._weighs(one)]
        weighed = [one for one in sequences if self._weighs(one)]
        return likeliest, weighed

    def answers(self, model: Any, rows: Sequence[Row], features: Tensor) -> list[Answer]:
        """Return the answers to all sequences of `rows`, all of one group, in order.

        Args:
            features: of the rows' images, (S, P, D).
        """
        most = self.how.max_new_tokens
        if not self._weighs(rows[0].sequences[0]):
            end = int(self.tokenizer.eos_token_id)
            constraints = None
            if self.boxes is not None and self.how.constrain_boxes:
                constraints = [self.boxes.constraint(one.sample) for row in rows for one in row.sequences]
            return greedy(model, rows, features, max_new_tokens=most, end_token=end, constraints=constraints)
        if self.how.box_choice == "consensus":
            assert self.boxes is not None
            return consensus_boxes(model, rows, features, vocabulary=self.boxes, max_new_tokens=most)
        return median_boxes(
            model,
            rows,
            features,
            tokenizer=self.tokenizer,
            bins=self.bins,
            max_new_tokens=most,
            spelling=self.spelling,
        )

    def _weighs(self, sequence: Tokens) -> bool:
        return self.how.box_choice != "greedy" and sequence.sample.task in ASKED


def generation(recipe: Recipe) -> str:
    """Return what a prediction says about how it was generated."""
    how = recipe.predict
    boxes = ", boxes constrained" if how.constrain_boxes else ""
    # The other choices constrain them by themselves.
    if how.box_choice == "median":
        boxes = ", boxes constrained, their coordinates medians"
    if how.box_choice == "consensus":
        boxes = f", boxes constrained, the consensus of {DRAWS} drawn"
    return f"greedy, at most {how.max_new_tokens} tokens{boxes}"
