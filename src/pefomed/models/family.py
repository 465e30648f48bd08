"""A model of another kind than a vision encoder joined to a language model, built by a recipe's `family`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from pefomed.errors import RecipeError
from pefomed.models.parts import LoraPart, WholePart, check_frozen
from pefomed.plugins import sources_of
from pefomed.recipe import Model
from pefomed.recipe.family import NamedFamily, family_of
from pefomed.weights.identity import base_on_disk


@dataclass(frozen=True)
class Asked:
    """What a family's function is asked for."""

    device: str
    """Where the model will be; it is moved there, and may be built there at once."""
    dtype: torch.dtype
    """Of the language model. Parts that are trained whole are set to float32 afterwards."""
    feature_dtype: torch.dtype
    """What the vision encoder computes in."""
    weights: bool = True
    """False: shapes are enough, the numbers are never looked at. Build it on torch's device `meta`, or as
    usual if that cannot be."""


def build_family(
    recipe: Model, *, device: str, dtype: torch.dtype, feature_dtype: torch.dtype, weights: bool = True
) -> tuple[Any, Any]:
    """Return the model and processor of the family that `recipe` names, frozen, as `protocol` says.

    Raises:
        RecipeError: the family cannot be found or built, or is not as the protocol says.
        WeightsError: a part of it that may be trained is no module of it, or would change its features.
    """
    family = family_of(recipe)
    if recipe.start is not None and recipe.start.endswith(".pth"):
        raise RecipeError(
            f"model.start: {recipe.start} is a PeFoMed or MiniGPT-v2 checkpoint, no start for a family",
            remedy="start from an adapter folder of this family",
        )
    made = family.build(Asked(device, dtype, feature_dtype, weights))
    model, processor = _checked(family, made)
    parts = model.parts()
    model.requires_grad_(False)
    check_frozen(model, parts, model.vision_encoder)
    for part in parts.values():
        for module in part.modules if isinstance(part, WholePart) else ():
            for name, found in model.named_modules():  # what is not there is said when they are wrapped
                if name == module:
                    found.float()
    if weights:
        model.to(device=torch.device(device))
    # When it is asked for: of several processes only the main one needs it.
    model.base_identity = cache(partial(base_on_disk, recipe))
    if (boxes := family.boxes()) is not None:
        processor.boxes = boxes
    return model, processor


def foreign_code(*objects: Any) -> str:
    """Return 16 digits over the source of what is not ours in models and processors; nothing if all is."""
    modules = [module for one in objects if isinstance(one, nn.Module) for module in one.modules()]
    return sources_of((type(one) for one in (*objects, *modules)), _OURS)


def _checked(family: NamedFamily, made: Any) -> tuple[Any, Any]:
    if not (isinstance(made, tuple) and len(made) == 2):
        raise RecipeError(
            f"{family} makes no pair of model and processor",
            found=type(made).__name__,
            remedy="return model, processor",
        )
    model, processor = made
    if not isinstance(model, nn.Module):
        raise RecipeError(f"{family}: the model is no torch.nn.Module", found=type(model).__name__)
    for what, one, names in (
        ("model", model, _MODEL), ("processor", processor, _PROCESSOR),
        ("image processor", getattr(processor, "image_processor", None), _IMAGES),
    ):  # fmt: skip
        if lacking := [name for name in names if not hasattr(one, name)]:
            raise RecipeError(
                f"{family}: the {what} has no {', '.join(lacking)}",
                found=f"a {type(one).__name__}",
                remedy="see pefomed.models.protocol, which says what each is",
            )
    parts: Any = model.parts()  # type: ignore[operator]
    wrong = [name for name, part in parts.items() if not isinstance(part, (LoraPart, WholePart))]
    if not parts or wrong or any(name in ("", "all") for name in parts):
        raise RecipeError(
            f"{family}: `parts` does not say what may be trained",
            found=f"{parts!r:.120}",
            remedy='return {"lora": LoraPart("language_model"), "projector": WholePart(("projector",))}'
            ' with names of your own, but not "all"',
        )
    return model, processor


_MODEL = (
    "vision_encoder language_model shares_rows parts feature_settings feature_about feature_bytes features_of"
    " fit_attention forward".split()
)
_PROCESSOR = (
    "tokenizer image_processor positions resizing image_tokens tokens_for encode_prompt encode_answer".split()
)
_IMAGES = ("settings", "pixels")
_OURS = ("pefomed", "torch", "transformers", "peft", "tokenizers", "accelerate")
