"""Attention under a tree mask, by whatever is fastest where the model trains.

Every language model of transformers takes its attention by name (`AttentionInterface`). The names here:

- `grouped`: plain products, the query heads that share a key head in one product. On CPU, PyTorch's
  scaled_dot_product_attention is slow backwards in bfloat16 once it is given a mask; this is not, and its
  softmax is fused when the layer is compiled (`make bench` shows both). It alone knows soft caps of the
  scores (Gemma 2) and attention sinks (gpt-oss) on every device.
- `sdpa`: PyTorch's own, with the mask as it is.
- `flex`: FlexAttention on CUDA, with the mask as a rule, so that blocks nobody sees are never computed.

`eager`, transformers' own, is for families that do not ask for their attention by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.masks import grouped_mask
from pefomed.recipe import Compute

GROUPED = "pefomed_grouped"
_NAMES = {"grouped": GROUPED, "sdpa": "sdpa", "flex": "flex_attention", "eager": "eager"}

_HARMLESS = frozenset(
    # What says nothing that the mask does not say already ...
    "sliding_window is_causal position_ids cache cache_position deterministic"
    " cu_seq_lens_q cu_seq_lens_k max_length_q max_length_k"
    # ... and what is passed down from the model's own call.
    " use_cache output_attentions output_hidden_states output_router_logits return_dict labels"
    " num_items_in_batch logits_to_keep input_ids attention_mask".split()
)


def candidates(compute: Compute, device: torch.device, *, decoding: bool = False) -> list[str]:
    """Return the kinds of attention that the recipe allows on `device`, the fastest first.

    Args:
        decoding: the mask changes with every token, which does not suit FlexAttention's compiled rule.

    Raises:
        RecipeError: `flex` is asked of a device that cannot train with it.
    """
    on_cpu = device.type == "cpu"
    if compute.attention == "flex" and on_cpu:
        raise RecipeError(
            "compute.attention = 'flex' needs a GPU",
            found="the device is the CPU, where FlexAttention has no backward pass",
            remedy="set compute.attention = 'auto'",
        )
    if compute.attention == "auto" or (decoding and compute.attention == "flex"):
        return ["grouped", "eager"] if on_cpu else ["sdpa", "grouped", "eager"]
    return [compute.attention]


def set_attention(model: Any, kind: str) -> None:
    """Give `model`'s language model the attention of this kind."""
    model.language_model.set_attn_implementation(_NAMES[kind])


def grouped_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Softmax attention of queries (B, H, L, D) over keys (B, G, K, D) and values (B, G, K, V); G divides H.

    Args:
        attention_mask: (B, 1, L, K) boolean, True where a key is seen; every query sees at least one.
        softcap: scores become softcap * tanh(scores / softcap) (Gemma 2, arXiv 2408.00118, section 2).
        s_aux: (H,) a score of nothing that joins each head's softmax and takes its share (gpt-oss).
        position_bias: (B, H, L, K) or what broadcasts to it, added to the scores.

    Returns:
        (B, L, H, V), and no attention weights.

    Raises:
        WeightsError: the family passes something that this does not know.
    """
    if unknown := sorted(
        name for name, given in kwargs.items() if given is not None and name not in _HARMLESS
    ):
        raise WeightsError(
            f"the language model asks of its attention what is not known here: {', '.join(unknown)}",
            remedy="use another language model",
        )
    batch, heads, length, width = query.shape
    groups, keys = key.shape[1], key.shape[2]
    scale = width**-0.5 if scaling is None else scaling
    # The heads of a group lie next to each other: together they are one tall matrix.
    tall = (query * scale).reshape(batch * groups, heads // groups * length, width)
    scores = torch.bmm(tall, key.reshape(batch * groups, keys, width).transpose(1, 2))
    scores = scores.view(batch, heads, length, keys)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if position_bias is not None:
        scores = scores + position_bias
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, float("-inf"))
    if s_aux is not None:
        sinks = s_aux.to(scores.dtype).view(1, heads, 1, 1).expand(batch, heads, length, 1)
        scores = torch.cat([scores, sinks], -1)
    weights = torch.softmax(scores.float(), -1)[..., :keys].to(value.dtype)
    if dropout:
        weights = torch.nn.functional.dropout(weights, dropout, module.training)
    tall = weights.reshape(batch * groups, heads // groups * length, keys)
    mixed = torch.bmm(tall, value.reshape(batch * groups, keys, value.shape[-1]))
    return mixed.view(batch, heads, length, value.shape[-1]).transpose(1, 2).contiguous(), None


AttentionInterface.register(GROUPED, grouped_attention)
AttentionMaskInterface.register(GROUPED, grouped_mask)
