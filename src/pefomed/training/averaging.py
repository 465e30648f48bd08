"""A running mean of the trained weights, which is what a stage with `ema` validates and ends with.

After optimiser step t, counted from 1, each trained weight w has the mean

    m  <-  d m + (1 - d) w,    d = min(ema, (1 + t) / (10 + t))

so that the first steps, whose weights are poor, soon count for nothing (the ramp is that of TensorFlow's
`ExponentialMovingAverage`). Training itself goes on with w. The means are part of each checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pefomed.errors import RunError


class RunningMean:
    """The means of parameters, in their own precision and on their device."""

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float):
        self._parameters, self._decay = parameters, decay
        self._means = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def add(self, step: int) -> None:
        """Count the weights after optimiser step `step`, from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for mean, parameter in zip(self._means, self._parameters, strict=True):
            mean.mul_(decay).add_(parameter.detach(), alpha=1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the means in the place of the weights; at the end these are back, bit for bit."""
        own = [parameter.detach().clone() for parameter in self._parameters]
        self._write(self._means)
        try:
            yield
        finally:
            self._write(own)

    def state(self) -> list[Tensor]:
        """Return the means as a checkpoint keeps them."""
        return [mean.cpu() for mean in self._means]

    def restore(self, state: object) -> None:
        """Take the means that a checkpoint kept.

        Raises:
            RunError: it has none, or those of other weights.
        """
        tensors = state if isinstance(state, list) else []
        shapes = [one.shape if isinstance(one, Tensor) else None for one in tensors]
        if shapes != [mean.shape for mean in self._means]:
            raise RunError(
                "the checkpoint holds no running mean of these weights",
                found=f"{len(tensors)} tensors, {len(self._means)} trained",
                remedy="give the run another folder with --out, or start it anew with --fresh",
            )
        for mean, kept in zip(self._means, tensors, strict=True):
            mean.copy_(kept)

    @torch.no_grad()
    def _write(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)
