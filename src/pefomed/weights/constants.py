"""Buffers of published models, which are constants: checked to be what their formula gives, then left out.

A saver that drops the parameters which are not trained keeps every buffer. None of them was trained, and the
model here computes its own, so they say nothing new, unless they are of another model:

    rotary_emb.inv_freq        base^(-2 i / d), i = 0 .. d/2 - 1  (arXiv 2104.09864, section 3.2.2)
    cos_cached, sin_cached     cosine and sine of (position x inv_freq), twice beside each other
    position_ids               0, 1, 2 ...            token_type_ids   0, 0, 0 ...
    attn.bias                  the causal mask        masked_bias      one number, -1e4 or below
    relative_position_index    which row of a window's table of biases each pair of patches has (BEiT)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = 2**-7
"""Relative: a constant may have been through bfloat16."""

_BASE = 10_000.0  # of LLaMA and LLaMA 2
_WIDEST_WINDOW = 64


def wrong_constant(name: str, tensor: Tensor, frequencies: Tensor | None = None) -> str | None:
    """Return what is wrong with a known constant, empty if nothing is; None if the name is of no constant.

    Args:
        frequencies: the language model's own `inv_freq` (d / 2,); by default those of base 10,000 and of
            the tensor's length.
    """
    last = name.rpartition(".")[2]
    if last == "inv_freq":
        return _frequencies(tensor, frequencies)
    if last in ("cos_cached", "sin_cached"):
        return _rotations(tensor, frequencies, cosine=last == "cos_cached")
    if last in ("position_ids", "token_type_ids"):
        count = torch.arange(tensor.shape[-1]) if tensor.dim() else torch.zeros(())
        wanted = count if last == "position_ids" else torch.zeros_like(count)
        return "" if _equal(tensor, wanted.expand_as(tensor)) else "it does not count from 0"
    if last == "bias" and tensor.dim() == 4:  # a layer's own bias has one dimension
        square = tensor.shape[-1] == tensor.shape[-2]
        seen = torch.ones(tensor.shape[-2:], dtype=torch.bool).tril()
        return "" if square and _equal(tensor, seen.expand_as(tensor)) else "it is not the causal mask"
    if last == "masked_bias":
        return "" if tensor.numel() == 1 and tensor.item() <= -1e4 else "it is not below -10,000"
    if last == "relative_position_index":
        return "" if _is_window(tensor) else "it is not the index of a square window"
    return None


def rotary_frequencies(language_model: nn.Module) -> Tensor | None:
    """Return the `inv_freq` (d / 2,) that a language model turns by, None if it has none or several.

    Of a model on the meta device they are computed anew.
    """
    found: list[Any] = [
        module for module in language_model.modules() if isinstance(getattr(module, "inv_freq", None), Tensor)
    ]
    if len(found) != 1:
        return None
    frequencies: Tensor = found[0].inv_freq
    if frequencies.is_meta:
        with torch.device("cpu"):
            frequencies = type(found[0])(config=found[0].config).inv_freq
    return frequencies.detach().float().cpu()


def _frequencies(tensor: Tensor, own: Tensor | None) -> str:
    wanted = _of_base(tensor.numel()) if own is None else own
    if tensor.dim() != 1 or tensor.shape != wanted.shape:
        return f"{tuple(tensor.shape)} numbers instead of {tuple(wanted.shape)}"
    whose = "base 10,000" if own is None else "the language model"
    return "" if _close(tensor, wanted, TOLERANCE * wanted) else f"they are not those of {whose}"


def _rotations(tensor: Tensor, own: Tensor | None, *, cosine: bool) -> str:
    """Check the last two dimensions (positions, d)."""
    if tensor.dim() < 2 or tensor.numel() != tensor.shape[-1] * tensor.shape[-2] or tensor.shape[-1] % 2:
        return f"{tuple(tensor.shape)} is not positions by widths"
    table = tensor.reshape(tensor.shape[-2:])
    turned = _of_base(table.shape[1] // 2) if own is None else own
    if turned.numel() * 2 != table.shape[1]:
        return f"it is {table.shape[1]} wide instead of {2 * turned.numel()}"
    angles = torch.outer(torch.arange(len(table)).float(), turned).repeat(1, 2)
    wanted = angles.cos() if cosine else angles.sin()
    right = _close(table, wanted, torch.full_like(wanted, TOLERANCE))
    return "" if right else "it is not what inv_freq gives"


def _of_base(half: int) -> Tensor:
    return _BASE ** (-torch.arange(half).float() / max(half, 1))


def _close(tensor: Tensor, wanted: Tensor, tolerance: Tensor) -> bool:
    return bool(((tensor.float() - wanted).abs() <= tolerance).all())


def _equal(tensor: Tensor, wanted: Tensor) -> bool:
    return tensor.shape == wanted.shape and bool((tensor == wanted).all())


def _is_window(tensor: Tensor) -> bool:
    """Return whether this is BEiT's index of a square window of patches behind one CLS token.

    Pairs of patches count their steps down and right, (2 w - 1)^2 of them; CLS to patch, patch to CLS, and
    CLS to CLS are the three after these.
    """
    tokens = tensor.shape[-1] if tensor.dim() else 0
    side = round(max(tokens - 1, 0) ** 0.5)
    if not 0 < side <= _WIDEST_WINDOW or tuple(tensor.shape) != (side**2 + 1,) * 2:
        return False
    rows, columns = torch.arange(side**2) // side, torch.arange(side**2) % side
    down, right = rows[:, None] - rows, columns[:, None] - columns
    wide = 2 * side - 1
    wanted = torch.empty(tokens, tokens)
    wanted[1:, 1:] = ((down + side - 1) * wide + right + side - 1).float()
    wanted[0, :], wanted[:, 0], wanted[0, 0] = wide**2, wide**2 + 1, wide**2 + 2
    return _equal(tensor, wanted)
