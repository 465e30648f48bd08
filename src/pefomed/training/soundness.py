"""A training ends at the first number that is none, saying at which step, on which samples and why it may be.

What led to a loss that is NaN or infinite is looked for in the order in which it would be cause and not
consequence: frozen weights, trained weights, image features, float16, and last the learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pefomed.errors import TrainingError, listed
from pefomed.models.adapter import base_of, parts_of
from pefomed.models.finite import not_finite
from pefomed.models.parts import PartOf
from pefomed.models.protocol import ImageFeatures
from pefomed.training.planned import Planned

SMALLEST_SCALE = 1.0
"""Of float16's losses. Above it a gradient that is too large halves the scale and skips the step; at it,
after sixteen such steps or more, the gradients themselves are no numbers."""


@dataclass(frozen=True)
class Trouble:
    """What is not finite in one process; all processes put theirs together."""

    samples: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    trained: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


def trouble(model: nn.Module, samples: Iterable[str], features: Iterable[tuple[str, Tensor]]) -> Trouble:
    """Look at this process's weights, and at the features of the images that the samples show."""
    named = {name: value for name, value in model.named_parameters()} | dict(model.named_buffers())
    part_of = PartOf(parts_of(base_of(model)))
    trained = {name for name in named if part_of(name) is not None}
    return Trouble(
        tuple(samples),
        tuple(dict.fromkeys(text.rpartition(" (")[0] for text in not_finite(features))),
        tuple(not_finite((name, named[name]) for name in named if name in trained)),
        tuple(not_finite((name, named[name]) for name in named if name not in trained)),
    )


def trouble_of(
    model: nn.Module, rows: Sequence[Planned], features: Callable[[Sequence[str]], ImageFeatures]
) -> Trouble:
    """Look at this process's weights, and at the samples and features of `rows`, which may be the cause."""
    images = [image for row in rows for image in row.images]
    samples = [sequence.sample.id for row in rows for sequence in row.built().sequences]
    # Where weights are wrong it is they; the features of a whole step are read again for this alone.
    return trouble(model, samples, ((image, features([image])[0]) for image in dict.fromkeys(images)))


def unsound_training(
    where: str,
    what: str,
    found: Sequence[Trouble],
    *,
    rates: Mapping[str, float],
    updates: int,
    precision: torch.dtype,
    kept: int | None,
) -> TrainingError:
    """Return the error that ends a training.

    Args:
        where: e.g. "step 3 of 40 of stage task".
        what: what is not finite there.
        found: of every process.
        updates: optimiser steps that the stage has made so far.
        kept: the step of the newest checkpoint, None if the stage has none.
    """
    samples = list(dict.fromkeys(name for one in found for name in one.samples))
    images = list(dict.fromkeys(name for one in found for name in one.images))
    frozen = list(dict.fromkeys(name for one in found for name in one.frozen))
    trained = list(dict.fromkeys(name for one in found for name in one.trained))
    shown = ", ".join(f"{part} {rate:.3g}" for part, rate in rates.items())
    lower = f"lower the learning rate (here: {shown}) or lengthen the warm-up"
    if frozen:
        cause, remedy = f"frozen weights are not finite: {listed(frozen)}", "fetch the weights again"
    elif trained:
        cause, remedy = f"trained weights are not finite any more: {listed(trained)}", lower
    elif images:
        cause = f"the vision encoder's features are not finite: {listed(images)}"
        remedy = "look at the images, and remove their features with `pefomed cache prune`"
    elif precision == torch.float16:
        cause = "probably a number above 65,504, where float16 ends"
        remedy = "set compute.dtype = 'bfloat16' or 'float32'"
    elif updates:
        cause, remedy = "probably the learning rate is too high", lower
    else:
        cause = f"nothing has been trained yet, so the weights do not suit {precision}"
        remedy = "set compute.dtype = 'float32', or use other weights"
    again = "then give the same command again: nothing of this stage has been kept"
    if kept is not None:
        again = f"then begin anew with --fresh; until then the checkpoint of step {kept} is kept as it is"
    return TrainingError(
        f"{where}: {what}",
        found=f"{cause}; samples: {listed(samples)}" if samples else cause,
        remedy=f"{remedy}, {again}",
    )


def scale_left(accelerator: Any) -> bool:
    """Return whether float16's scaling of the loss can still be what made a gradient too large."""
    scaler = accelerator.scaler
    return scaler is not None and float(scaler.get_scale()) > SMALLEST_SCALE
