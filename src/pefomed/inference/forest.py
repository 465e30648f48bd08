"""Trees of tokens that grow on computed rows: many continuations of many questions in one forward.

The rows' prefix trees are run once; every question's last prompt node is a root. A node is grown behind
any other one, and a mask shows each its own ancestors alone, so its logits are those of the tokens on its
path as a text of their own. `cut` takes the cache back to the rows, and other trees can grow.

Shapes: B rows, Q questions, K keys in the cache, N nodes, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pefomed.inference.alone import Paths
from pefomed.inference.prefill import run_prefix
from pefomed.models.protocol import ImageFeatures, device_of
from pefomed.packing.batch import PackedRow, columns


def grown(model: Any, rows: Sequence[PackedRow], features: ImageFeatures) -> Forest | Paths:
    """Return the trees of `rows`: behind shared prefixes, or where `model` shares no rows, alone."""
    return (Forest if model.shares_rows else Paths)(model, rows, features)


class Forest:
    """The questions of `rows`, numbered in order, and the nodes grown behind them, numbered on."""

    def __init__(self, model: Any, rows: Sequence[PackedRow], features: ImageFeatures):
        """Run the rows; `features` (S, P, D) are of their images."""
        self.model, self.device, self.width = model, device_of(features), len(rows)
        begun = run_prefix(model, rows, features)
        self.logits = begun.logits
        """Of the questions' roots, (Q, V)."""
        self._cache, self._state = begun.cache, begun.state
        self._rows: list[int] = begun.owners.tolist()
        self._depths: list[int] = begun.depths.tolist()
        self._seen: NDArray[np.bool_] = begun.seen.cpu().numpy()  # (N, K)
        self._positions: NDArray[np.int64] = begun.positions.cpu().numpy()  # (B, K)
        self._questions, self._keys = self._seen.shape

    def __len__(self) -> int:
        """Return how many nodes there are, the questions' own included: the next one's number."""
        return len(self._rows)

    @torch.inference_mode()
    def grow(
        self, parents: Sequence[int], tokens: Sequence[int], wanted: Sequence[int] | None = None
    ) -> Tensor:
        """Add a node of each token behind its parent, which may be a node of the same call before it.

        Args:
            wanted: the new nodes, by number, whose logits are returned; all by default.

        Returns:
            Logits (N, V).
        """
        first, keys = self._seen.shape
        for parent in parents:
            self._rows.append(self._rows[parent])
            self._depths.append(self._depths[parent] + 1)
        rows = self._rows[first:]
        places = columns(rows)
        width = max(places) + 1
        self._seen = np.pad(self._seen, ((0, len(parents)), (0, width)))
        for node, (parent, column) in enumerate(zip(parents, places, strict=True), first):
            self._seen[node] = self._seen[parent]
            self._seen[node, keys + column] = True
        # A place without a node sees itself alone, so that its softmax is not over nothing.
        mask = np.zeros((self.width, width, keys + width), dtype=np.bool_)
        mask[:, range(width), range(keys, keys + width)] = True
        mask[rows, places] = self._seen[first:]
        ids = np.zeros((self.width, width), dtype=np.int64)
        ids[rows, places] = tokens
        positions = np.zeros((self.width, width), dtype=np.int64)
        positions[rows, places] = self._depths[first:]
        self._positions = np.concatenate([self._positions, positions], axis=1)
        chosen = range(len(rows)) if wanted is None else [node - first for node in wanted]
        output = self.model(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=torch.from_numpy(mask)[:, None].to(self.device),
            position_ids=torch.from_numpy(positions).to(self.device),
            key_positions=torch.from_numpy(self._positions).to(self.device),
            past_key_values=self._cache,
            answer_index=(
                torch.tensor([rows[place] for place in chosen], device=self.device),
                torch.tensor([places[place] for place in chosen], device=self.device),
            ),
            use_cache=True,
            **self._state,
        )
        return output.logits[0]  # type: ignore[no-any-return]

    def cut(self) -> None:
        """Take away every node but the questions' own."""
        # Less than nothing is how many keys to take away, in every version of transformers 5.
        if self._seen.shape[1] > self._keys:
            self._cache.crop(self._keys - self._seen.shape[1])
        self._seen = self._seen[: self._questions, : self._keys]
        self._positions = self._positions[:, : self._keys]
        del self._rows[self._questions :], self._depths[self._questions :]
