"""What is known of a family's model by its shapes: parameters of its parts, and the memory that they take.

Bytes, with b those of the language model's precision:

    frozen   = vision encoder (bytes of its own precision) + the rest that is never trained b
    training = frozen + adapter 4 + trained (4 gradient + 8 AdamW)

Activations, logits and the cache of keys are its own and are not estimated.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from pefomed.models import device as devices
from pefomed.models.adapter import add_adapter, parts_of
from pefomed.models.family import build_family
from pefomed.models.parts import PartOf, chosen_parts
from pefomed.recipe import Recipe
from pefomed.recipe.family import family_of

GIB = 2**30


def family_shapes(recipe: Recipe) -> tuple[Any, Any]:
    """Return the model and processor of the recipe's family, without numbers if it can be built so.

    Raises: as `family.build_family`.
    """
    where = devices.device(recipe.compute)
    dtype, features = devices.dtype(recipe.compute, where), devices.feature_dtype(recipe.compute, where)
    return build_family(recipe.model, device="cpu", dtype=dtype, feature_dtype=features, weights=False)


def describe_family(recipe: Recipe, model: Any) -> dict[str, Any]:
    """Return what `describe.json` holds of a family's model, which gets its adapter.

    Beside what it holds of others: `family`, with which code. Tokens per image are the family's own.

    Raises:
        RecipeError: LoRA targets do not fit the model, or a stage trains a part that there is not.
        WeightsError: a part is no module of the model.
    """
    parts = parts_of(model)
    stages = [chosen_parts(stage, parts) for stage in recipe.stages] or [tuple(parts)]
    trained = {part for chosen in stages for part in chosen}
    with torch.device("meta"):
        adapted = add_adapter(model, recipe.model.lora)
    part_of, sizes = PartOf(parts), Counter[str]()
    encoder = {id(parameter) for parameter in model.vision_encoder.parameters()}
    for name, parameter in adapted.named_parameters():
        frozen = _VISION if id(parameter) in encoder else _REST
        if ".original_module." not in name:  # which its trained copy stands in for
            sizes[part_of(name) or frozen] += parameter.numel()
    rows: list[dict[str, Any]] = [
        {"name": name, "parameters": sizes[name], "trained": sizes[name] if name in trained else 0}
        for name in (_VISION, _REST, *parts)
    ]
    trainable = sum(int(row["trained"]) for row in rows)
    return {
        "family": family_of(recipe.model).implementation,
        "parts": rows,
        "trainable": trainable,
        "total": sum(int(row["parameters"]) for row in rows),
        "memory": _memory(recipe, sizes, [*parts], trainable),
    }


def _memory(recipe: Recipe, sizes: Counter[str], parts: list[str], trained: int) -> dict[str, Any]:
    where = devices.device(recipe.compute)
    dtype, features = devices.dtype(recipe.compute, where), devices.feature_dtype(recipe.compute, where)
    frozen = sizes[_VISION] * features.itemsize + sizes[_REST] * dtype.itemsize
    adapter = 4 * sum(sizes[part] for part in parts)
    return {
        "precision": str(dtype).removeprefix("torch."),
        "feature_precision": str(features).removeprefix("torch."),
        "frozen_weights_gib": gib(frozen),
        "adapter_weights_gib": gib(adapter),
        "gradients_gib": gib(4 * trained),
        "adamw_gib": gib(8 * trained),
        "training_gib": gib(frozen + adapter + 12 * trained),
        "inference_gib": gib(frozen + adapter),
        "not_estimated": "activations, logits and the cache of keys",
    }


def gib(size: float) -> float:
    """Return bytes as GiB, with two digits."""
    return round(size / GIB, 2)


_VISION, _REST = "vision encoder", "other frozen weights"
