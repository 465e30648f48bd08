"""Loss on answer tokens only, and the exact match that greedy decoding would reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pefomed.batch import Batch
from pefomed.forward import forward


@dataclass(frozen=True)
class Answered:
    """What a batch's forward pass says about its answers."""

    loss: Tensor
    """Summed cross-entropy of the answer tokens, in nats, float32."""
    right: Tensor
    """(samples,) True where every answer token, the end token too, is the most likely one: then, and
    only then, greedy decoding gives exactly the reference."""
    said: Tensor
    """(A,) the most likely token at each place of an answer."""


def answer(model: Any, batch: Batch, features: Tensor) -> Answered:
    """Run `model` on a batch with image features (S, P, D); logits only where an answer token is."""
    output = forward(model, batch, features, answer_index=batch.answer_index, use_cache=False)
    logits = output.logits[0].float()  # (A, V)
    loss = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="sum")
    said = logits.detach().argmax(-1)
    hit = said == batch.targets
    right = torch.ones(len(batch.samples), dtype=torch.bool, device=hit.device)
    right[batch.owners[~hit]] = False
    return Answered(loss, right, said)
