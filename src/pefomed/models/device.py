"""Device, precision and compilation from the recipe's [compute] table, `auto` resolved on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pefomed.errors import RecipeError
from pefomed.models.compiled import CompiledLayers
from pefomed.models.layers import decoder_layers
from pefomed.recipe import Compute

COMPILE_TOKENS = 100_000
"""Tokens of training from which compiling (about half a minute) is earned back."""


def device(compute: Compute) -> torch.device:
    """Return the device; `auto` is CUDA where there is one.

    Raises:
        RecipeError: the device does not exist here.
    """
    name = compute.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise RecipeError(
            f"compute.device: no device {name!r}", remedy="use auto, cpu, cuda or cuda:N"
        ) from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise RecipeError(
            f"compute.device = {name!r}, but there is no CUDA device",
            remedy="set compute.device = 'auto' or 'cpu'",
        )
    return chosen


def dtype(compute: Compute, where: torch.device) -> torch.dtype:
    """Return the precision; `auto` is bfloat16 where the hardware multiplies it, else float16 on CUDA,
    float32 on CPU (bfloat16 without hardware support is slower than float32).

    Raises:
        RecipeError: float16 is asked of a CPU.
    """
    if compute.dtype == "float16" and where.type == "cpu":
        raise RecipeError(
            "compute.dtype = 'float16' needs a GPU",
            found="the device is the CPU",
            remedy="set compute.dtype = 'auto', 'bfloat16' or 'float32'",
        )
    if compute.dtype != "auto":
        return getattr(torch, compute.dtype)  # type: ignore[no-any-return]
    if where.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def feature_dtype(compute: Compute, where: torch.device) -> torch.dtype:
    """Return what the frozen vision encoder computes in; `auto` is float32 on CPU and where the recipe's
    `dtype` is float32, else float16, which has eight times bfloat16's steps and the same size and speed.

    Raises:
        RecipeError: float16 is asked of a CPU.
    """
    chosen = compute.feature_dtype
    if chosen == "dtype":
        return dtype(compute, where)
    if chosen == "float16" and where.type == "cpu":
        raise RecipeError(
            "compute.feature_dtype = 'float16' needs a GPU",
            found="the device is the CPU",
            remedy="set compute.feature_dtype = 'auto' or 'float32'",
        )
    if chosen != "auto":
        return getattr(torch, chosen)  # type: ignore[no-any-return]
    exact = where.type == "cpu" or compute.dtype == "float32"
    return torch.float32 if exact else torch.float16


def card(where: torch.device) -> str:
    """Return the name of the card that computes; nothing for the CPU."""
    return torch.cuda.get_device_name(where) if where.type == "cuda" else ""


def set_threads(compute: Compute) -> None:
    """Use the recipe's number of CPU threads."""
    if compute.threads is not None:
        torch.set_num_threads(compute.threads)


def compile_layers(model: Any, compute: Compute, tokens: int, warn: Callable[[str], None]) -> bool:
    """Compile each layer of the language model if the recipe says so; return whether that was begun.

    Layers are all alike, so one compilation serves them all; whole-model compilation takes minutes.

    Args:
        tokens: how many tokens will be trained on.
        warn: gets the one line that says why layers go on as they are, whenever that turns out.

    Raises:
        RecipeError: the recipe wants them compiled, and they cannot be; here or when they are first called.
    """
    if compute.compile == "off" or (compute.compile == "auto" and tokens < COMPILE_TOKENS):
        return False
    layers = decoder_layers(model.language_model)
    if not layers:
        if compute.compile == "on":
            raise RecipeError(
                "compute.compile = 'on', but this language model's layers are not in one list",
                remedy="set compute.compile = 'off'",
            )
        return False
    return CompiledLayers(layers, required=compute.compile == "on", warn=warn).active
