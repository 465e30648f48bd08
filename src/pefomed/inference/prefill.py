"""What all answers of a batch of rows begin with, computed once: images, instructions, questions.

Shapes: B rows, Q sequences, K keys in the cache, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache

from pefomed.models.masks import tree_mask
from pefomed.models.protocol import ImageFeatures, device_of
from pefomed.packing.batch import PackedRow, collate
from pefomed.packing.forward import forward


class Prefix(NamedTuple):
    """The rows' prefix trees in a key-value cache, and the last prompt node of each sequence, in order."""

    cache: Any
    logits: Tensor
    """(Q, V) behind the prompts."""
    owners: Tensor
    """(Q,) the row of each sequence."""
    depths: Tensor
    """(Q,) the position of its last prompt token."""
    seen: Tensor
    """(Q, K) the keys it sees."""
    positions: Tensor
    """(B, K) of the keys."""
    state: dict[str, Any]
    """What later calls on these rows are given beside the cache (`protocol.Output.row_state`), by name."""


@torch.inference_mode()
def run_prefix(model: Any, rows: Sequence[PackedRow], features: ImageFeatures) -> Prefix:
    """Run the rows once; `features` (S, P, D) are of their images."""
    device = device_of(features)
    batch = collate(rows).to(device)
    owners = torch.tensor([number for number, row in enumerate(rows) for _ in row.sequences], device=device)
    nodes = torch.tensor([node for row in rows for node in row.last], device=device)
    tree = tree_mask(batch.ends)
    # Not the family's own cache, which drops the keys that a window's length of indices has passed.
    cache = DynamicCache()
    output = forward(
        model, batch, features, past_key_values=cache, answer_index=(owners, nodes), use_cache=True
    )
    positions = batch.position_ids
    return Prefix(
        cache,
        output.logits[0],
        owners,
        positions[owners, nodes],
        tree[owners, 0, nodes],
        positions,
        row_state(output),
    )


def row_state(output: Any) -> dict[str, Any]:
    """Return what a family keeps of rows beside its cache, as the argument of the next call; most nothing."""
    kept = getattr(output, "row_state", None)
    return {} if kept is None else {"row_state": kept}
