"""One optimiser step: its batches dealt to the processes, forwards and backwards, and the weights' change."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from pefomed.recipe import Stage
from pefomed.training import sharding, soundness
from pefomed.training.loss import units
from pefomed.training.plan import shares
from pefomed.training.planned import Planned

Rows = Sequence[Planned]


class NotFinite(Exception):
    """A loss or a gradient is not finite; nothing has changed. Raised in every process at once."""

    def __init__(self, what: str, batches: Sequence[Rows]):
        super().__init__(what)
        self.what = what
        self.batches = batches
        """Of this process, those that may be why."""


def optimiser_step(
    model: Any,
    optimiser: Any,
    parameters: list[Any],
    batches: Sequence[Rows],
    stage: Stage,
    accelerator: Accelerator,
    summed: Callable[[Any, Rows], Tensor],
) -> dict[str, Any]:
    """Take one step; its loss is the mean of all its batches together, see `loss`.

    Args:
        batches: of all processes; each computes its share.
        summed: the loss of one batch, a sum.

    Returns:
        What the log says of the step.

    Raises:
        NotFinite: before the weights change.
    """
    model.train()
    begun = time.monotonic()
    processes = accelerator.num_processes
    dealt = shares(batches, processes)
    mine = dealt[accelerator.process_index]
    count = units((row for batch in batches for row in batch), stage.loss)
    total = torch.zeros((), device=accelerator.device)
    rounds = max(map(len, dealt))
    losses: list[Tensor] = []
    for number in range(rounds):
        # A process without a batch in this round computes one for nothing: all add up together.
        rows, weight = (mine[number], processes) if number < len(mine) else (batches[0], 0)
        loss = summed(model, rows) / count
        last = number == rounds - 1
        with nullcontext() if last else sharding.no_sync(model, accelerator):
            # Gradients are averaged over the processes, so each counts as often as there are processes.
            accelerator.backward(loss * weight)
        total += loss.detach() * bool(weight)
        losses.append(loss.detach())
    norm = float(sharding.full_tensor(accelerator.clip_grad_norm_(parameters, stage.max_grad_norm)))
    whole = float(accelerator.reduce(total, "sum"))  # the same in every process, as is the norm
    if not math.isfinite(whole):
        bad = [rows for rows, loss in zip(mine, losses, strict=False) if not torch.isfinite(loss)]
        raise NotFinite("the loss is not finite", bad)
    if not math.isfinite(norm) and not soundness.scale_left(accelerator):
        raise NotFinite("the gradient is not finite", mine)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    seconds = time.monotonic() - begun
    samples = sum(row.questions for batch in batches for row in batch)
    return {
        "loss": whole,
        "grad_norm": norm,
        "samples": samples,
        "tokens": sum(len(row) for rows in batches for row in rows),
        "step_seconds": round(seconds, 4),
        "samples_per_second": round(samples / seconds, 3),
    }


def seed_of(seed: int, stage: str, step: int, process: int) -> int:
    """Return the seed of a step's dropout: the same whether or not the run was stopped before it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{stage}/{step}/{process}".encode()).digest()[:7], "big")
