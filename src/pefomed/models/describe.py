"""Counts a recipe's parameters and estimates its memory on the meta device: no weights are fetched or loaded.

Bytes, with T tokens in the largest batch, L layers of width H, MLP width I, A = heads x head width of
attention, r the LoRA rank, x_t the input width of target t, b bytes of the language model's precision:

    frozen     = vision encoder (bytes of its own precision) + language model b
    training   = frozen + trained (4 weight + 4 gradient + 8 AdamW) + activations + logits
    activations = T L (2 H 4 + 4 A b + 3 I b + sum_t (x_t 4 (1 + [dropout > 0]) + 4 r)), where targets of the
                same input share x_t in float32 without dropout
                with gradient checkpointing: T (L H b + one layer of the above)
    logits     = answer tokens x vocabulary x (b + 8)
    inference  = frozen + trained 4 + questions x tokens x 2 L K b,  K = key heads x head width

What autograd keeps was counted on transformers' LLaMA with PEFT's LoRA (a test counts again). Attention
masks, allocator slack and the encoder's passing activations come on top: leave a tenth to a fifth free.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig

from pefomed.errors import RecipeError
from pefomed.models.adapter import add_adapter
from pefomed.models.build import joined_config
from pefomed.models.device import dtype as precision_of
from pefomed.models.device import feature_dtype as feature_precision
from pefomed.models.family_description import describe_family, family_shapes, gib
from pefomed.models.language_part import text_part
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.vision_part import checked_config
from pefomed.recipe import Model, Recipe, Stage
from pefomed.weights import hub, lookup
from pefomed.weights.folders import configuration, readable
from pefomed.weights.known import Kind, by_name_or_hub

_READS = {"k_proj": "q_proj", "v_proj": "q_proj", "up_proj": "gate_proj"}  # read the same tensor as
QUESTION_TOKENS = 64  # taken for the length of a question in the inference estimate


def describe(recipe: Recipe) -> dict[str, Any]:
    """Return what `describe.json` holds.

    `parts` (name, parameters, trained), `trainable`, `total`, `tokens_per_image`, and `memory` in GiB.

    Raises:
        RecipeError: image size, patches, group, layer or LoRA targets do not fit the parts.
        WeightsError: a part is unknown, or its configuration is neither known, on this disk nor on the hub.
    """
    if recipe.model.family is not None:
        return describe_model(recipe, family_shapes(recipe)[0])
    return describe_model(recipe, meta_model(recipe.model))


def describe_model(recipe: Recipe, model: Any) -> dict[str, Any]:
    """Return the same of the recipe's `meta_model` or of its family's, which gets its adapter.

    Raises:
        RecipeError: LoRA targets do not fit the parts, or a stage trains a part that there is not.
    """
    if recipe.model.family is not None:
        return describe_family(recipe, model)
    trained = {part for stage in recipe.stages for part in stage.train} or {"projector", "lora"}
    with torch.device("meta"):
        adapted = add_adapter(model, recipe.model.lora)
    lora = [parameter for name, parameter in adapted.named_parameters() if "lora_" in name]
    language = [
        parameter for name, parameter in model.language_model.named_parameters() if "lora_" not in name
    ]
    projector: Any = model.projector  # by now PEFT's pair of the original and the trained copy
    parts = [
        _part(f"vision encoder ({recipe.model.vision_encoder})", model.vision_encoder.parameters(), False),
        _part("projector", projector.modules_to_save.parameters(), "projector" in trained),
        _part(f"language model ({recipe.model.language_model})", language, False),
        _part("LoRA", lora, "lora" in trained),
    ]
    return {
        "parts": parts,
        "trainable": sum(part["trained"] for part in parts),
        "total": sum(part["parameters"] for part in parts),
        "tokens_per_image": model.config.tokens_per_image,
        "memory": _memory(recipe, model.config, parts),
    }


def meta_model(recipe: Model) -> PefomedForConditionalGeneration:
    """Return the recipe's model on the meta device: shapes without numbers.

    Raises:
        RecipeError: the recipe names a family of its own; others as `describe`.
    """
    if recipe.family is not None:
        raise RecipeError(
            "this is for models of a vision encoder and a language model that are joined here",
            found=f"the family {recipe.family!r}, whose shapes and names only it knows",
            remedy="use `pefomed describe` without --plan, and the run's adapter folder as it is",
        )
    vision = part_config(recipe.vision_encoder, "vision", recipe.vision_revision)
    text = part_config(recipe.language_model, "language", recipe.language_revision)
    config = joined_config(recipe, checked_config(vision), text_part(text))
    with readable(Path(recipe.language_model), "configuration"), torch.device("meta"):
        return PefomedForConditionalGeneration(config)


def part_config(name: str, kind: Kind, revision: str | None = None) -> Any:
    """Return the transformers configuration of a part: from this disk, else as known here, else the hub's.

    Raises:
        WeightsError: the name is unknown, or the hub cannot be reached for a part not known here.
    """
    folder = lookup.on_disk(name, kind, revision)
    if folder is not None:
        return configuration(folder)
    known = by_name_or_hub(name)
    if known is not None and known.config:
        fields = dict(known.config)
        return AutoConfig.for_model(fields.pop("model_type"), **fields)
    return configuration(hub.configuration(name, revision))


def _part(name: str, parameters: Iterable[nn.Parameter], trained: bool) -> dict[str, Any]:
    count = sum(parameter.numel() for parameter in parameters)
    return {"name": name, "parameters": count, "trained": count if trained else 0}


def _memory(recipe: Recipe, config: Any, parts: list[dict[str, Any]]) -> dict[str, Any]:
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = precision_of(recipe.compute, where)
    bytes_ = dtype.itemsize
    vision, projector, language, lora = (part["parameters"] for part in parts)
    trained = sum(part["trained"] for part in parts)
    encoder = feature_precision(recipe.compute, where)
    # Of the halved encoder only the linear layers are in float16; the rest is less than a hundredth.
    frozen = vision * encoder.itemsize + language * bytes_
    adapter = (projector + lora) * 4
    activations = max((_activations(recipe, stage, config, bytes_) for stage in recipe.stages), default=0)
    cache = _cache(recipe, config, bytes_)
    training = frozen + adapter + trained * 12 + activations
    return {
        "precision": str(dtype).removeprefix("torch."),
        "feature_precision": str(encoder).removeprefix("torch."),
        "frozen_weights_gib": gib(frozen),
        "adapter_weights_gib": gib(adapter),
        "gradients_gib": gib(trained * 4),
        "adamw_gib": gib(trained * 8),
        "activations_gib": gib(activations),
        "training_gib": gib(training),
        "key_value_cache_gib": gib(cache),
        "inference_gib": gib(frozen + adapter + cache),
    }


def _activations(recipe: Recipe, stage: Stage, config: Any, bytes_: int) -> int:
    longest = config.tokens_per_image + recipe.prompt.max_text_tokens
    tokens = min(stage.batch_tokens, stage.batch_size * longest)
    text, lora = config.text_config, recipe.model.lora
    width, layers = int(text.hidden_size), int(text.num_hidden_layers)
    mlp = int(getattr(text, "intermediate_size", None) or 4 * width)
    attention = _heads(text) * _head_width(text)
    widths = {"o_proj": attention, "down_proj": mlp}
    inputs = [widths.get(target, width) for target in lora.targets]
    kept_inputs = sum(inputs) * 4 * (1 + (lora.dropout > 0))
    if bytes_ == 4 and lora.dropout == 0:  # neither cast nor dropped out: one tensor for all who read it
        readers = {
            _READS.get(target, target): read for target, read in zip(lora.targets, inputs, strict=True)
        }
        kept_inputs = sum(readers.values()) * 4
    adapted = kept_inputs + len(lora.targets) * 4 * lora.r
    layer = 8 * width + 4 * attention * bytes_ + 3 * mlp * bytes_ + adapted
    kept = layers * width * bytes_ + layer if recipe.compute.gradient_checkpointing else layers * layer
    answers = min(tokens, stage.batch_size * recipe.predict.max_new_tokens)
    logits = answers * int(text.vocab_size) * (bytes_ + 8)
    return int(tokens * kept + logits)


def _cache(recipe: Recipe, config: Any, bytes_: int) -> int:
    text = config.text_config
    tokens = config.tokens_per_image + QUESTION_TOKENS + recipe.predict.max_new_tokens
    heads = int(getattr(text, "num_key_value_heads", None) or _heads(text))
    per_token = 2 * int(text.num_hidden_layers) * heads * _head_width(text) * bytes_
    return int(recipe.predict.batch_questions * tokens * per_token)


def _heads(text: Any) -> int:
    """Return the heads of attention, 0 where no layer attends."""
    return int(getattr(text, "num_attention_heads", None) or 0)


def _head_width(text: Any) -> int:
    return int(getattr(text, "head_dim", None) or text.hidden_size // max(1, _heads(text)))
