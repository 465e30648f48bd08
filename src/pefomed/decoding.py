"""Greedy decoding of all questions of an image from one computed prefix.

The rows' prefix trees are run once; then every question goes on from its last prompt node. New tokens
of all questions are appended to the same key-value cache, and a mask shows each its own ancestors and
its own tokens only, so the answers are those of one question at a time.

Shapes: B rows, L nodes, Q questions of a row still unfinished, K keys in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from pefomed.batch import Row, columns
from pefomed.prefix import run_prefix


@dataclass
class Answer:
    """One sample's generated tokens, the end token included if it came."""

    sample_id: str
    tokens: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] = "length"


class Constraint(Protocol):
    """What an answer may be."""

    def allowed(self, tokens: Sequence[int]) -> Sequence[int]:
        """Return the tokens that may follow `tokens`, at least one, the end token where it may end."""


@torch.inference_mode()
def greedy(
    model: Any,
    rows: Sequence[Row],
    features: Tensor,
    *,
    max_new_tokens: int,
    end_token: int,
    constraints: Sequence[Constraint | None] | None = None,
) -> list[Answer]:
    """Return the answers to all sequences of `rows`, in order.

    Args:
        features: of the rows' images, (S, P, D).
        constraints: one for each sequence, None where any answer may come; none at all by default.
    """
    device = features.device
    begun = run_prefix(model, rows, features)
    cache, row_of, depths, seen = begun.cache, begun.owners, begun.depths, begun.seen
    owners = row_of.tolist()
    answers = [Answer(sequence.sample.id) for row in rows for sequence in row.sequences]
    alive = list(range(len(answers)))
    chosen = _choose(begun.logits, alive, answers, constraints)
    for step in range(max_new_tokens):
        for index, token in zip(alive, chosen.tolist(), strict=True):
            answers[index].tokens.append(token)
            if token == end_token:
                answers[index].finish = "stop"
        going = [place for place, index in enumerate(alive) if answers[index].finish != "stop"]
        if not going or step == max_new_tokens - 1:
            break
        chosen, alive = chosen[going], [alive[place] for place in going]
        column_of = columns([owners[index] for index in alive])
        width = max(column_of) + 1
        live = torch.tensor(alive, device=device)
        places = (row_of[live], torch.tensor(column_of, device=device))
        own = torch.zeros((len(answers), width), dtype=torch.bool, device=device)
        own[live, places[1]] = True
        seen = torch.cat([seen, own], dim=1)
        # A place without a question sees itself alone, so that its softmax is not over nothing.
        mask = torch.zeros((len(rows), width, seen.shape[1]), dtype=torch.bool, device=device)
        mask[:, range(width), range(seen.shape[1] - width, seen.shape[1])] = True
        mask[places] = seen[live]
        ids = torch.full((len(rows), width), end_token, device=device)
        ids[places] = chosen
        positions = torch.zeros((len(rows), width), dtype=torch.long, device=device)
        positions[places] = depths[live] + step + 1
        output = model(
            input_ids=ids,
            attention_mask=mask[:, None],
            position_ids=positions,
            past_key_values=cache,
            answer_index=places,
            use_cache=True,
        )
        chosen = _choose(output.logits[0], alive, answers, constraints)
    return answers


def _choose(
    logits: Tensor, alive: list[int], answers: list[Answer], constraints: Sequence[Constraint | None] | None
) -> Tensor:
    """Return the most likely token of each unfinished answer, (Q,), of logits (Q, V)."""
    if constraints is not None:
        for place, index in enumerate(alive):
            constraint = constraints[index]
            if constraint is not None:
                kept = torch.tensor(constraint.allowed(answers[index].tokens), device=logits.device)
                values = logits[place, kept]
                logits[place] = -torch.inf
                logits[place, kept] = values
    return logits.argmax(-1)
