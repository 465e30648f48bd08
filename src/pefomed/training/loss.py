"""Loss on answer tokens only, and the exact match that greedy decoding would reach.

Of the S samples of a step, sample s with T_s answer tokens, its end token included, `Stage.loss` makes

    token     sum over s, t of nll(s, t)  /  sum over s of T_s
    sample    sum over s of (1 / T_s) (sum over t of nll(s, t))  /  S

PeFoMed takes transformers' mean over the tokens of one GPU's batch and then the mean over GPUs: in its stage
2, with one sample a GPU, that is `sample`; in stage 1, with 100 captions a GPU, it is nearly `token`. A batch
gives the sum, all batches of a step, accumulated ones and those of other processes too, the number it is
divided by (`units`): how samples are dealt to rows, batches and processes changes nothing.

Shapes: A answer tokens, V tokens of the vocabulary, S images, P patches, D width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pefomed.models.protocol import ImageFeatures
from pefomed.packing.batch import Batch
from pefomed.packing.forward import forward
from pefomed.recipe import LossMean
from pefomed.training.planned import Planned


@dataclass(frozen=True)
class AnswerLoss:
    """What a batch's forward pass says about its answers."""

    loss: Tensor
    """Cross-entropy summed over answer tokens, or over the means of the samples, in nats, float32."""
    right: Tensor
    """(samples,) True where every answer token, the end token too, is the most likely one: then, and
    only then, greedy decoding gives exactly the reference."""
    said: Tensor
    """(A,) the most likely token at each place of an answer."""


def answer(
    model: Any, batch: Batch, features: ImageFeatures, mean_of: LossMean = "token", smoothing: float = 0.0
) -> AnswerLoss:
    """Run `model` on a batch with image features (S, P, D); logits only where an answer token is.

    Args:
        smoothing: share of a target that is spread evenly over all tokens (Szegedy et al., CVPR 2016).
    """
    output = forward(model, batch, features, answer_index=batch.answer_index, use_cache=False)
    logits = output.logits[0].float()  # (A, V)
    loss = _summed(logits, batch, mean_of, smoothing)
    said = logits.detach().argmax(-1)
    hit = said == batch.targets
    right = torch.ones(len(batch.samples), dtype=torch.bool, device=hit.device)
    right[batch.owners[~hit]] = False
    return AnswerLoss(loss, right, said)


def units(rows: Iterable[Planned], mean_of: LossMean) -> int:
    """Return what the sum over `rows` is divided by: their samples, or their answer tokens."""
    return sum(row.questions if mean_of == "sample" else row.answer_tokens for row in rows)


def _summed(logits: Tensor, batch: Batch, mean_of: LossMean, smoothing: float) -> Tensor:
    entropy = partial(torch.nn.functional.cross_entropy, logits, batch.targets, label_smoothing=smoothing)
    if mean_of == "token":
        return entropy(reduction="sum")
    each = entropy(reduction="none")  # (A,)
    lengths = torch.bincount(
        batch.owners, minlength=len(batch.samples)
    )  # a sample is in one row, so whole here
    return (each / lengths[batch.owners]).sum()
