"""Attention under a tree mask, by whatever is fastest where the model trains.

Every language model of transformers takes its attention by name (`AttentionInterface`). Three names here:

- `grouped`: plain products, the query heads that share a key head in one product. On CPU, PyTorch's
  scaled_dot_product_attention is slow backwards in bfloat16 once it is given a mask; this is not, and its
  softmax is fused when the layer is compiled (`make bench` shows both).
- `sdpa`: PyTorch's own, with the mask as it is.
- `flex`: FlexAttention on CUDA, with the mask as a rule, so that blocks nobody sees are never computed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from pefomed.errors import RecipeError
from pefomed.recipe import Compute

GROUPED = "pefomed_grouped"
FLEX = "flex_attention"
_NAMES = {"grouped": GROUPED, "sdpa": "sdpa", "flex": FLEX}


def choose_attention(model: Any, compute: Compute, *, decoding: bool = False) -> str:
    """Set the attention of `model`'s language model as the recipe says; return the choice.

    Args:
        decoding: the mask changes with every token, which does not suit FlexAttention's compiled rule.

    Raises:
        RecipeError: `flex` is asked of a device that cannot train with it.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    chosen = "auto" if decoding and compute.attention == "flex" else compute.attention
    if chosen == "auto":
        chosen = "grouped" if on_cpu else "sdpa"
    if chosen == "flex" and on_cpu:
        raise RecipeError(
            "compute.attention = 'flex' needs a GPU",
            found="the device is the CPU, where FlexAttention has no backward pass",
            remedy="set compute.attention = 'auto'",
        )
    model.language_model.set_attn_implementation(_NAMES[chosen])
    return chosen


def grouped_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Softmax attention of queries (B, H, L, D) over keys and values (B, G, K, D); G divides H.

    Args:
        attention_mask: (B, 1, L, K) boolean, True where a key is seen; every query sees at least one.

    Returns:
        (B, L, H, D), and no attention weights.
    """
    batch, heads, length, width = query.shape
    groups, keys = key.shape[1], key.shape[2]
    scale = width**-0.5 if scaling is None else scaling
    # The heads of a group lie next to each other: together they are one tall matrix.
    tall = (query * scale).reshape(batch * groups, heads // groups * length, width)
    scores = torch.bmm(tall, key.reshape(batch * groups, keys, width).transpose(1, 2))
    scores = scores.view(batch, heads, length, keys)
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, float("-inf"))
    weights = torch.softmax(scores.float(), -1).to(value.dtype)
    if dropout:
        weights = torch.nn.functional.dropout(weights, dropout, module.training)
    tall = weights.view(batch * groups, heads // groups * length, keys)
    mixed = torch.bmm(tall, value.reshape(batch * groups, keys, width))
    return mixed.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


def grouped_mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """Return the mask that SDPA would get, also where SDPA would be told `is_causal` instead."""
    return sdpa_mask(*args, **(kwargs | {"allow_is_causal_skip": False}))


AttentionInterface.register(GROUPED, grouped_attention)
AttentionMaskInterface.register(GROUPED, grouped_mask)
