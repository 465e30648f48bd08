"""The vision encoder of a folder: any that gives one token for each patch of a square, in raster order."""

from __future__ import annotations

import copy
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, Blip2VisionModel

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.config import side
from pefomed.weights.folders import configuration, first_line, load, readable

REMEDY = (
    "take an encoder with one token for each patch in every layer: ViT, DeiT, BEiT, DINOv2, DINOv3, CLIP,"
    " SigLIP, EVA, I-JEPA (docs/families.md)"
)

_UNUSED = ("pooler.", "head.", "embeddings.mask_token")
"""What classifiers and masked training have beside the tokens; most folders of classifiers lack a pooler."""


def vision_config(folder: Path) -> Any:
    """Return the configuration of the folder's vision encoder, checked.

    Raises:
        WeightsError: it is not of an encoder of patches.
    """
    return checked_config(configuration(folder))


def checked_config(config: Any) -> Any:
    """Return `config`, or its vision part's where it is of a model of several parts.

    Raises:
        WeightsError: it is not of an encoder of patches.
    """
    config = getattr(config, "vision_config", None) or config
    for name in ("patch_size", "hidden_size", "num_hidden_layers", "image_size"):
        try:
            side(getattr(config, name, None))
        except ValueError as error:
            raise WeightsError(
                f"{config.model_type} is not a vision encoder with one token for each patch",
                found=f"{name} in its configuration is {error}",
                remedy=REMEDY,
            ) from None
    return config


def from_config(config: Any) -> nn.Module:
    """Build the vision encoder of a configuration, weights at random."""
    if config.model_type == "blip_2_vision_model":  # transformers keeps it out of AutoModel
        return Blip2VisionModel(config)  # type: ignore[no-any-return]
    return AutoModel.from_config(config)  # type: ignore[no-any-return]


def load_vision(folder: Path, config: Any, dtype: torch.dtype) -> nn.Module:
    """Return the encoder with its weights.

    Raises:
        WeightsError: they cannot be read or are not all there.
    """
    if config.model_type == "blip_2_vision_model":
        # A whole BLIP-2 keeps its encoder under this prefix; transformers expects another one.
        names = {r"^vision_model\.": ""}
        return load(Blip2VisionModel, folder, dtype, config=config, key_mapping=names).eval()  # type: ignore[no-any-return]
    kind: Any = AutoModel
    layers: int | None = config.num_hidden_layers
    if configuration(folder).model_type != config.model_type:
        # CLIP and SigLIP folders hold a text half too; the vision class picks its own tensors.
        with readable(folder, "vision encoder"), torch.device("meta"):
            kind, layers = type(AutoModel.from_config(config)), None
    return load(kind, folder, dtype, unused=_UNUSED, layers=layers, config=config).eval()  # type: ignore[no-any-return]


def hidden_states(
    encoder: nn.Module, config: Any, pixel_values: Tensor, image_size: int
) -> tuple[Tensor, ...]:
    """Return the hidden states (I, prefix + P, D), of the embeddings and of every layer."""
    options: dict[str, Any] = {}
    # DINOv2 and 3 take any size without being asked.
    if (
        config.image_size != image_size
        and "interpolate_pos_encoding" in signature(encoder.forward).parameters
    ):
        options["interpolate_pos_encoding"] = True
    return encoder(pixel_values, output_hidden_states=True, **options).hidden_states  # type: ignore[no-any-return]


def final_norm(encoder: nn.Module) -> nn.Module:
    """Return the norm behind the encoder's last layer.

    Raises:
        RecipeError: there is none.
    """
    for name in ("layernorm", "post_layernorm", "norm"):
        norm = getattr(encoder, name, None)
        if isinstance(norm, nn.Module):
            return norm
    raise RecipeError(
        f"model.feature_norm = 'encoder', but {type(encoder).__name__} has no final norm",
        remedy="set model.feature_norm = 'layernorm'",
    )


def check_tokens(config: Any, image_size: int) -> None:
    """Make sure that the last tokens of an image are its patches in raster order, whatever comes before them.

    A copy of one layer, weights at random, sees two images that differ in one patch.

    Raises:
        WeightsError: the tokens are others.
        RecipeError: the encoder takes another image size only.
    """
    problem = _problem(config, image_size)
    if not problem:
        return
    own = side(config.image_size)
    if own != image_size and not _problem(config, own):
        raise RecipeError(
            f"the vision encoder {config.model_type} does not take images of model.image_size = {image_size}",
            found=problem,
            remedy=f"set model.image_size = {own}, its own",
        )
    raise WeightsError(
        f"{config.model_type} is not a vision encoder with one token for each patch",
        found=problem,
        remedy=REMEDY,
    )


_found: dict[tuple[str, int], str] = {}


def _problem(config: Any, image_size: int) -> str:
    """Return what is wrong with the tokens of such an encoder, found once in a process; empty if nothing."""
    key = config.to_json_string(use_diff=False), image_size
    if key not in _found:
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                _found[key] = _compared(config, image_size)
        except Exception as error:  # whatever it says to an image of three channels
            _found[key] = first_line(error)
    return _found[key]


@torch.no_grad()
def _compared(config: Any, image_size: int) -> str:
    small = copy.deepcopy(config)
    small.num_hidden_layers = 1
    patch, width = side(config.patch_size), config.hidden_size
    grid = image_size // patch
    encoder = from_config(small).float().eval()
    pixels = torch.randn(1, 3, image_size, image_size).expand(2, -1, -1, -1).clone()
    changed = grid + 1 if grid > 1 else 0  # the second patch of the second row
    top, left = changed // grid * patch, changed % grid * patch
    pixels[1, :, top : top + patch, left : left + patch] += 1.0
    states = hidden_states(encoder, small, pixels, image_size)
    if states is None or len(states) != 2:
        return f"{0 if states is None else len(states)} hidden states of an encoder of one layer, not 2"
    for state in states:
        if state.dim() != 3 or state.shape[1] < grid**2 or state.shape[2] != width:
            return f"hidden states of {tuple(state.shape[1:])} for {grid} x {grid} patches, {width} wide"
    moved = (states[0][1] - states[0][0]).norm(dim=-1)
    place = int(moved.argmax()) - (states[0].shape[1] - grid**2)
    if place != changed:
        return f"patch {changed} of an image is its token {place}, counted where the patches should begin"
    return ""
