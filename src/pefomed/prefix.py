"""What all answers of a batch of rows begin with, computed once: images, instructions, questions.

Shapes: Q sequences, K keys in the cache, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pefomed.batch import Row, collate, tree_mask


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


@torch.inference_mode()
def run_prefix(model: Any, rows: Sequence[Row], features: Tensor) -> Prefix:
    """Run the rows once; `features` (S, P, D) are of their images."""
    device = features.device
    batch = collate(rows).to(device)
    owners = torch.tensor([number for number, row in enumerate(rows) for _ in row.sequences], device=device)
    nodes = torch.tensor([node for row in rows for node in row.last], device=device)
    tree = tree_mask(batch.ends)
    output = model(
        input_ids=batch.input_ids,
        image_features=features,
        attention_mask=tree,
        position_ids=batch.position_ids,
        answer_index=(owners, nodes),
        use_cache=True,
    )
    depths, seen = batch.position_ids[owners, nodes], tree[owners, 0, nodes]
    return Prefix(output.past_key_values, output.logits[0], owners, depths, seen)
