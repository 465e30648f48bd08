"""The layers of a language model, whatever its family calls them."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from pefomed.errors import RecipeError

LINEAR = (nn.Linear, Conv1D)
"""Linear layers: GPT-2 has its own, whose weights are transposed."""

_POSITIONS = re.compile(r"wpe$|pos")

_BY_INDEX = frozenset({"bloom", "mpt", "gpt_neo", "bart"})

_RECURRENT = "mamba rwkv recurrent rglru deltanet linearattention lightningattention retention".split()


def decoder_layers(language_model: Any) -> list[nn.Module]:
    """Return the layers in order; none where the model does not keep them in one list."""
    config = getattr(language_model, "config", None)
    count = int(getattr(config, "num_hidden_layers", 0) or 0)
    if not count:  # a family's own, which does not say so
        return []
    lists = [
        module
        for module in language_model.modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    ]
    # Not those of a part of every layer: the stack holds the most weights.
    stack = max(lists, key=lambda one: sum(p.numel() for p in one.parameters()), default=())
    return list(stack)


def checkpoint_layers(language_model: Any) -> None:
    """Keep only what enters each layer for the backward pass, which computes the rest again.

    Raises:
        RecipeError: the family cannot.
    """
    kind = getattr(getattr(language_model, "config", None), "model_type", type(language_model).__name__)
    if not getattr(language_model, "supports_gradient_checkpointing", False):
        raise RecipeError(
            f"compute.gradient_checkpointing is not for language models of the kind {kind}",
            remedy="set compute.gradient_checkpointing = false",
        )
    language_model.gradient_checkpointing_enable({"use_reentrant": False})


def most_positions(language_model: Any) -> tuple[int, bool] | None:
    """Return for how many positions the model is made, and whether it has no others (a table)."""
    most = getattr(language_model.config, "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0:
        return None
    tables = [
        table
        for name, module in language_model.named_modules()
        for table in (
            module.weight if isinstance(module, nn.Embedding) and _POSITIONS.search(name) else None,
            getattr(module, "embed_positions", None),  # of sines: GPT-J, CodeGen
        )
        if isinstance(table, Tensor)
    ]
    return most, any(most <= len(table) <= most + 2 for table in tables)


def known_alone(language_model: Any) -> bool:
    """Return whether the family is known to need one question a row, without computing anything.

    As docs/families.md has it: a layer carries a state, or places are counted by index (ALiBi, GPT-Neo's
    local attention, BART's positions). Of any other family `parity` finds out when a model is built.
    """
    config = language_model.config
    by_index = config.model_type in _BY_INDEX or bool(getattr(config, "alibi", False))
    return by_index or carries_state(language_model)


def carries_state(language_model: Any) -> bool:
    """Return whether a layer's result at a token depends on the row before it by more than attention.

    So do recurrences, linear attention, and convolutions over tokens.
    """
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
