"""In what precision the frozen vision encoder computes: once an image, so exactly, whatever training runs in.

In float16 the encoder's linear layers hold their weights in float16 and multiply in it, and everything else,
the sum that goes through all layers above all, stays float32: what the authors' float16 with autocast does.
Rounding that sum after each layer too would cost most of what float16 is more exact than bfloat16.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from pefomed.errors import WeightsError

LARGEST = torch.finfo(torch.float16).max


def loading_dtype(precision: torch.dtype) -> torch.dtype:
    """Return the dtype to load the encoder in, before `halve`."""
    return torch.float32 if precision == torch.float16 else precision


def halve(encoder: nn.Module) -> None:
    """Round the weights of the encoder's linear layers to float16, in place."""
    for module in encoder.modules():
        # Not of subclasses: MultiheadAttention reads its output layer's weight itself.
        if type(module) is nn.Linear:
            module.half()


def precision_of(encoder: nn.Module) -> torch.dtype:
    """Return what `encoder` multiplies in and its features are kept in."""
    first = next(encoder.parameters()).dtype
    mixed = first == torch.float32 and any(p.dtype == torch.float16 for p in encoder.parameters())
    return torch.float16 if mixed else first


def products(encoder: nn.Module, device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which `encoder` multiplies in its own precision, whatever stands around it."""
    precision = precision_of(encoder)
    # In bfloat16 weights, sums and all are rounded; on the meta device nothing is computed, only counted.
    if precision == torch.bfloat16 or device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, torch.float16, enabled=precision == torch.float16)


def check_range(features: Tensor) -> None:
    """Make sure that float16 holds the features.

    Raises:
        WeightsError: one of them is NaN or infinite.
    """
    if features.dtype == torch.float16 and not bool(torch.isfinite(features).all()):
        raise WeightsError(
            "the vision encoder's features are not finite in float16",
            found=f"probably a number above {LARGEST:,.0f}, where it ends",
            remedy="set compute.feature_dtype = 'float32'",
        )
