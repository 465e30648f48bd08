"""How the answers of a recipe are decoded: greedy, or boxes whose coordinates are medians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pefomed.inference.box_grammar import BoxVocabulary
from pefomed.inference.box_medians import DIGITS, TOKENS, median_boxes
from pefomed.inference.greedy import Answer, greedy
from pefomed.packing.batch import Row, Tokens
from pefomed.recipe import Recipe
from pefomed.tasks import BOXES


class Answering:
    """The decoding that a recipe asks for."""

    def __init__(self, recipe: Recipe, tokenizer: Any):
        self.how, self.tokenizer = recipe.predict, tokenizer
        self.spelling = TOKENS if recipe.model.location_tokens else DIGITS
        self.bins = recipe.prompt.box_bins
        # Looked up once: every token is read for it.
        self.boxes = (
            BoxVocabulary(tokenizer, self.bins, self.how.box_none) if self.how.constrain_boxes else None
        )

    def groups(self, sequences: Sequence[Tokens]) -> tuple[list[Tokens], list[Tokens]]:
        """Return the sequences that are decoded greedily, and those whose answers are medians."""
        likeliest = [one for one in sequences if not self._has_medians(one)]
        medians = [one for one in sequences if self._has_medians(one)]
        return likeliest, medians

    def answers(self, model: Any, rows: Sequence[Row], features: Tensor) -> list[Answer]:
        """Return the answers to all sequences of `rows`, all of one group, in order.

        Args:
            features: of the rows' images, (S, P, D).
        """
        most = self.how.max_new_tokens
        if not self._has_medians(rows[0].sequences[0]):
            end = int(self.tokenizer.eos_token_id)
            constraints = None
            if self.boxes is not None:
                constraints = [self.boxes.constraint(one.sample) for row in rows for one in row.sequences]
            return greedy(model, rows, features, max_new_tokens=most, end_token=end, constraints=constraints)
        return median_boxes(
            model,
            rows,
            features,
            tokenizer=self.tokenizer,
            bins=self.bins,
            max_new_tokens=most,
            spelling=self.spelling,
            none=self.how.box_none,
        )

    def _has_medians(self, sequence: Tokens) -> bool:
        return self.how.box_choice == "median" and sequence.sample.task in BOXES


def generation(recipe: Recipe) -> str:
    """Return what a prediction says about how it was generated."""
    how = recipe.predict
    boxes = ", boxes constrained" if how.constrain_boxes else ""
    if how.box_choice == "median":  # which constrains them by itself
        boxes = ", boxes constrained, their coordinates medians"
    if boxes and how.box_none:
        boxes += ", or none"
    return f"greedy, at most {how.max_new_tokens} tokens{boxes}"
