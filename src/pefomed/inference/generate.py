"""Token after token, for all questions of an image from one computed prefix.

The rows' prefix trees are run once; then every question goes on from its last prompt node, together
(`together`) or, where a model cannot share rows, each as a text of its own (`alone`). Who chooses the next
token is a parameter (`choice`), what an answer may be another one.

Shapes: Q questions, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from pefomed.inference.alone import Continuations
from pefomed.inference.choice import TokenChoice, likeliest
from pefomed.inference.together import QuestionCache
from pefomed.models.protocol import ImageFeatures
from pefomed.packing.batch import PackedRow


@dataclass
class Generated:
    """One sample's generated tokens, the end token included if it came."""

    sample_id: str
    tokens: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] = "length"
    logprobs: list[float] = field(default_factory=list)
    """Of each token, where they are asked for: see `generate`."""
    done: bool = False


class Constraint(Protocol):
    """What an answer may be."""

    def allowed(self, tokens: Sequence[int]) -> Sequence[int]:
        """Return the tokens that may follow `tokens`, at least one, the end token where it may end."""


def greedy(
    model: Any,
    rows: Sequence[PackedRow],
    features: ImageFeatures,
    *,
    max_new_tokens: int,
    end_token: int,
    constraints: Sequence[Constraint | None] | None = None,
) -> list[Generated]:
    """Return the likeliest answers to all sequences of `rows`, in order; see `generate`."""
    answers = empty_answers(rows)
    for _ in generate(
        model,
        rows,
        features,
        answers,
        max_new_tokens=max_new_tokens,
        end_token=end_token,
        constraints=constraints,
    ):
        pass
    return answers


def empty_answers(rows: Sequence[PackedRow]) -> list[Generated]:
    """Return an empty answer for each sequence of `rows`, in order."""
    return [Generated(sequence.sample.id) for row in rows for sequence in row.sequences]


def continued(
    model: Any, rows: Sequence[PackedRow], features: ImageFeatures
) -> QuestionCache | Continuations:
    """Return the questions of `rows`, run and ready to go on: together, or each alone."""
    return (QuestionCache if model.shares_rows else Continuations)(model, rows, features)


@torch.inference_mode()
def generate(
    model: Any,
    rows: Sequence[PackedRow],
    features: ImageFeatures,
    answers: Sequence[Generated],
    *,
    max_new_tokens: int,
    end_token: int,
    constraints: Sequence[Constraint | None] | None = None,
    choice: TokenChoice = likeliest,
    logprobs: bool = False,
) -> Iterator[list[int]]:
    """Add tokens to `answers`, which are those to the sequences of `rows`; yield after each step who got one.

    Args:
        features: of the rows' images, (S, P, D).
        constraints: one for each sequence, None where any answer may come; none at all by default.
        logprobs: note the natural logarithm of each token's probability: the model's own, at temperature 1,
            and where a constraint holds over the tokens that it allows.
    """
    texts = continued(model, rows, features)
    alive = list(range(len(answers)))
    logits = texts.logits
    for step in range(max_new_tokens):
        if constraints is not None:
            _constrain(logits, alive, answers, constraints)
        chosen = choice(logits, alive)
        if logprobs:
            for index, value in zip(alive, _logs(logits, chosen), strict=True):
                answers[index].logprobs.append(value)
        for index, token in zip(alive, chosen, strict=True):
            answer = answers[index]
            answer.tokens.append(token)
            if token == end_token:
                answer.finish = "stop"
            answer.done = answer.finish == "stop" or step == max_new_tokens - 1
        yield alive
        going = [place for place, index in enumerate(alive) if not answers[index].done]
        if not going:
            break
        chosen, alive = [chosen[place] for place in going], [alive[place] for place in going]
        logits = texts.step(alive, chosen)


def _constrain(
    logits: Tensor,
    alive: Sequence[int],
    answers: Sequence[Generated],
    constraints: Sequence[Constraint | None],
) -> None:
    """Leave of logits (Q, V) those of the tokens that may come."""
    for place, index in enumerate(alive):
        constraint = constraints[index]
        if constraint is not None:
            kept = torch.tensor(constraint.allowed(answers[index].tokens), device=logits.device)
            values = logits[place, kept]
            logits[place] = -torch.inf
            logits[place, kept] = values


def _logs(logits: Tensor, chosen: Sequence[int]) -> list[float]:
    values = logits.float()
    picked = values.gather(1, torch.tensor(chosen, device=logits.device)[:, None])[:, 0]
    return (picked - values.logsumexp(-1)).tolist()
