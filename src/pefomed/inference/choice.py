"""Which token comes next: the likeliest, or one that is drawn.

A token v of logits l is drawn at temperature T with probability exp(l_v / T) / sum over w of exp(l_w / T).

Shapes: Q questions, V vocabulary.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class TokenChoice(Protocol):
    """Chooses the next token of each question."""

    def __call__(self, logits: Tensor, questions: Sequence[int]) -> list[int]:
        """Return a token for each of `questions`, whose logits are (Q, V); -inf is never chosen."""


def likeliest(logits: Tensor, questions: Sequence[int]) -> list[int]:
    """Return the token of the highest logit: greedy decoding."""
    return logits.argmax(-1).tolist()


class TokenSampler:
    """Draws tokens at a temperature above 0.

    Every question has random numbers of its own, made on the CPU: what is drawn for it does not hang on the
    device, nor on which questions are answered together with it.
    """

    def __init__(self, temperature: float, seeds: Sequence[str]):
        """Begin; `seeds` holds one for each question."""
        self.temperature = temperature
        self._numbers = [random.Random(seed) for seed in seeds]

    def __call__(self, logits: Tensor, questions: Sequence[int]) -> list[int]:
        """Return a token for each of `questions`."""
        # The difference first: a tiny temperature would make everything infinite.
        above = (logits.double() - logits.double().amax(-1, keepdim=True)) / self.temperature
        summed = above.softmax(-1).cumsum(-1)
        numbers = torch.tensor([[self._numbers[one].random()] for one in questions], dtype=torch.float64)
        # The first token whose sum exceeds the number: one of probability 0 adds nothing to any sum.
        found = torch.searchsorted(summed, numbers.to(summed.device) * summed[:, -1:], right=True)
        return found[:, 0].clamp(max=logits.shape[1] - 1).tolist()
