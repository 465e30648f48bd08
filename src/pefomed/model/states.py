"""Layers that carry a state along a row: recurrent, linear attention, convolutions over tokens."""

from __future__ import annotations

from typing import Any

from torch import nn

_RECURRENT = (
    "mamba",
    "rwkv",
    "recurrent",
    "rglru",
    "deltanet",
    "linearattention",
    "lightningattention",
    "retention",
)


def carries_state(language_model: Any) -> bool:
    """Return whether a layer's result at a token depends on the row before it by more than attention."""
    config = language_model.config
    kinds = getattr(config, "layer_types", None) or getattr(config, "layers_block_type", None) or ()
    if any(
        "linear" in kind or "conv" in kind or "mamba" in kind or "recurrent" in kind
        for kind in map(str, kinds)
    ):
        return True
    return any(
        isinstance(module, nn.Conv1d) or any(word in type(module).__name__.lower() for word in _RECURRENT)
        for module in language_model.modules()
    )
