"""Greedy decoding of all questions of an image from one computed prefix.

The rows' prefix trees are run once; then every question goes on from its last prompt node. New tokens
of all questions are appended to the same key-value cache, and a mask shows each its own ancestors and
its own tokens only, so the answers are those of one question at a time. Where a model cannot share rows,
they are run one at a time (`alone`).

Shapes: B rows, Q questions, K keys in the cache, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from pefomed.inference.alone import Continuations
from pefomed.inference.prefill import run_prefix
from pefomed.packing.batch import Row, columns


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
    kind = Together if model.shares_rows else Continuations
    texts = kind(model, rows, features)
    answers = [Answer(sequence.sample.id) for row in rows for sequence in row.sequences]
    alive = list(range(len(answers)))
    chosen = _choose(texts.logits, alive, answers, constraints)
    for step in range(max_new_tokens):
        for index, token in zip(alive, chosen, strict=True):
            answers[index].tokens.append(token)
            if token == end_token:
                answers[index].finish = "stop"
        going = [place for place, index in enumerate(alive) if answers[index].finish != "stop"]
        if not going or step == max_new_tokens - 1:
            break
        chosen, alive = [chosen[place] for place in going], [alive[place] for place in going]
        chosen = _choose(texts.step(alive, chosen), alive, answers, constraints)
    return answers


class Together:
    """Every question's text in one cache with its row, to which one token after the other is added."""

    def __init__(self, model: Any, rows: Sequence[Row], features: Tensor):
        """Run the rows; `features` (S, P, D) are of their images."""
        self.model, self._rows = model, len(rows)
        begun = run_prefix(model, rows, features)
        self.logits = begun.logits
        """(Q, V) behind the prompts."""
        self._cache, self._owners, self._depths = begun.cache, begun.owners, begun.depths
        self._seen, self._keys = begun.seen, begun.positions
        self._row_of: list[int] = begun.owners.tolist()

    def step(self, alive: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Add a token to each question of `alive`, which get fewer only; return the logits there, (Q, V)."""
        device = self._depths.device
        column_of = columns([self._row_of[index] for index in alive])
        width = max(column_of) + 1
        live = torch.tensor(alive, device=device)
        places = (self._owners[live], torch.tensor(column_of, device=device))
        own = torch.zeros((len(self._seen), width), dtype=torch.bool, device=device)
        own[live, places[1]] = True
        self._seen = torch.cat([self._seen, own], dim=1)
        keys = self._seen.shape[1]
        # A place without a question sees itself alone, so that its softmax is not over nothing.
        mask = torch.zeros((self._rows, width, keys), dtype=torch.bool, device=device)
        mask[:, range(width), range(keys - width, keys)] = True
        mask[places] = self._seen[live]
        ids = torch.zeros((self._rows, width), dtype=torch.long, device=device)
        ids[places] = torch.tensor(tokens, device=device)
        self._depths = self._depths + 1
        positions = torch.zeros((self._rows, width), dtype=torch.long, device=device)
        positions[places] = self._depths[live]
        self._keys = torch.cat([self._keys, positions], dim=1)
        output = self.model(
            input_ids=ids,
            attention_mask=mask[:, None],
            position_ids=positions,
            key_positions=self._keys,
            past_key_values=self._cache,
            answer_index=places,
            use_cache=True,
        )
        return output.logits[0]  # type: ignore[no-any-return]


def _choose(
    logits: Tensor, alive: list[int], answers: list[Answer], constraints: Sequence[Constraint | None] | None
) -> list[int]:
    """Return the most likely token of each unfinished answer, of logits (Q, V)."""
    if constraints is not None:
        for place, index in enumerate(alive):
            constraint = constraints[index]
            if constraint is not None:
                kept = torch.tensor(constraint.allowed(answers[index].tokens), device=logits.device)
                values = logits[place, kept]
                logits[place] = -torch.inf
                logits[place, kept] = values
    return logits.argmax(-1).tolist()
