"""The boxes that agree best with all that the model might have answered: minimum Bayes risk decoding.

The likeliest box need not be a good one: where a model wavers between two places, or puts each of many
near boxes a little forward, most of what it believes lies elsewhere. Here answers are drawn from its own
distribution, well-formed boxes only, and the one whose mean IoU with all drawn is the highest is given:
the answer of the highest expected IoU if the model's distribution is true (Kumar and Byrne 2004,
"Minimum Bayes-risk decoding for statistical machine translation", with IoU as the gain).

All draws of all questions of the rows grow together, and equal beginnings are computed once. The draws of
a sample follow from its id, so an answer does not depend on what is answered beside it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pefomed.batch import Row
from pefomed.box_decoding import BoxConstraint, BoxVocabulary
from pefomed.boxes import read_boxes
from pefomed.boxes.region import iou
from pefomed.decoding import Answer
from pefomed.forest import Forest

DRAWS = 32
"""Answers drawn for each question."""


@dataclass
class Draw:
    """One drawn answer, as far as it is written."""

    question: int
    tip: int
    """Its last node in the forest."""
    tokens: list[int] = field(default_factory=list)
    ended: bool = False


class Choice(NamedTuple):
    """What may come at a node."""

    tokens: Sequence[int]
    cumulative: NDArray[np.float64]

    def take(self, uniform: float) -> int:
        """Return the token at `uniform`, in [0, 1), of the distribution."""
        place = np.searchsorted(self.cumulative, uniform * self.cumulative[-1], side="right")
        return self.tokens[min(int(place), len(self.tokens) - 1)]


def consensus_boxes(
    model: Any,
    rows: Sequence[Row],
    features: Tensor,
    *,
    vocabulary: BoxVocabulary,
    max_new_tokens: int,
    draws: int = DRAWS,
) -> list[Answer]:
    """Return the answers to all sequences of `rows`, in order; all of them ask for boxes.

    A draw longer than `max_new_tokens` counts for nothing; if all are, the first is given, cut.

    Args:
        features: of the rows' images, (S, P, D).
    """
    forest = Forest(model, rows, features)
    samples = [one.sample for row in rows for one in row.sequences]
    constraints = [vocabulary.constraint(sample) for sample in samples]
    chances = [_uniforms(sample.id, max_new_tokens, draws) for sample in samples]
    all_draws = [Draw(question, question) for question in range(len(samples)) for _ in range(draws)]
    logits, first = forest.logits, 0
    for step in range(max_new_tokens):
        alive = [(number, draw) for number, draw in enumerate(all_draws) if not draw.ended]
        if not alive:
            break
        choices: dict[int, Choice] = {}
        children: dict[tuple[int, int], int] = {}
        for number, draw in alive:
            if draw.tip not in choices:
                constraint = constraints[draw.question]
                assert constraint is not None  # boxes are asked for
                choices[draw.tip] = _choice(logits[draw.tip - first], constraint, draw.tokens)
            token = choices[draw.tip].take(chances[draw.question][step, number % draws])
            draw.tokens.append(token)
            draw.ended = token == vocabulary.end
            if not draw.ended:
                draw.tip = children.setdefault((draw.tip, token), len(forest) + len(children))
        if step == max_new_tokens - 1 or not children:
            break
        first = len(forest)
        logits = forest.grow([parent for parent, _ in children], [token for _, token in children])
    return [
        _agreed(sample.id, all_draws[place * draws : (place + 1) * draws], vocabulary)
        for place, sample in enumerate(samples)
    ]


def _choice(logits: Tensor, constraint: BoxConstraint, tokens: Sequence[int]) -> Choice:
    allowed = constraint.allowed(tokens)
    values = logits[list(allowed)].double().cpu().numpy()
    return Choice(allowed, np.cumsum(np.exp(values - values.max())))


def _uniforms(sample_id: str, steps: int, draws: int) -> NDArray[np.float64]:
    """Return numbers in [0, 1), (steps, draws), the same for the same sample."""
    seed = int.from_bytes(hashlib.sha256(f"boxes of {sample_id}".encode()).digest()[:8], "big")
    return np.random.default_rng(seed).random((steps, draws))


def _agreed(sample_id: str, drawn: Sequence[Draw], vocabulary: BoxVocabulary) -> Answer:
    """Return the drawn answer whose mean IoU with all is the highest, the more frequent of equals."""
    counts = Counter(tuple(draw.tokens) for draw in drawn if draw.ended)
    if not counts:
        return Answer(sample_id, drawn[0].tokens, "length")
    kinds = [tokens for tokens, _ in counts.most_common()]
    weights = np.array([counts[tokens] for tokens in kinds], dtype=np.float64)
    texts = [vocabulary.tokenizer.decode(list(tokens[:-1])) for tokens in kinds]
    boxes = [read_boxes(text, vocabulary.bins).boxes for text in texts]
    gains = np.array([[iou(one, other) for other in boxes] for one in boxes]) @ weights
    return Answer(sample_id, list(kinds[int(np.argmax(gains))]), "stop")
