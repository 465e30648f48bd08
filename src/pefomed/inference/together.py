"""All questions of rows, continued in one key-value cache.

New tokens of all questions are appended to the rows' cache, and a mask shows each its own ancestors and its
own tokens only, so the answers are those of one question at a time.

Shapes: B rows, Q questions, K keys in the cache, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pefomed.inference.prefill import run_prefix
from pefomed.models.protocol import ImageFeatures
from pefomed.packing.batch import PackedRow, columns


class QuestionCache:
    """Every question's text in one cache with its row, to which one token after the other is added."""

    def __init__(self, model: Any, rows: Sequence[PackedRow], features: ImageFeatures):
        """Run the rows; `features` (S, P, D) are of their images."""
        self.model, self._rows = model, len(rows)
        begun = run_prefix(model, rows, features)
        self.logits = begun.logits
        """(Q, V) behind the prompts."""
        self._cache, self._owners, self._depths = begun.cache, begun.owners, begun.depths
        self._seen, self._keys = begun.seen, begun.positions
        self._state = begun.state
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
            **self._state,
        )
        return output.logits[0]  # type: ignore[no-any-return]
