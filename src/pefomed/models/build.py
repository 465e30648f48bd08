"""From a recipe's [model] table to a model and its processor, weights loaded or on the meta device."""

from __future__ import annotations

import copy
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoImageProcessor, AutoModelForCausalLM

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.config import PefomedConfig, side
from pefomed.models.family import build_family
from pefomed.models.feature_precision import halve, loading_dtype
from pefomed.models.finite import check_part
from pefomed.models.language_part import language_config, load_language, load_tokenizer
from pefomed.models.layers import most_positions
from pefomed.models.location_tokens import add_location_tokens, added_rows
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.processing import PefomedImageProcessor, PefomedProcessor
from pefomed.models.vision_part import check_tokens, final_norm, load_vision, vision_config
from pefomed.recipe import Model
from pefomed.weights.folders import readable
from pefomed.weights.identity import base_at
from pefomed.weights.lookup import resolve


def build_model(
    recipe: Model,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    feature_dtype: torch.dtype | None = None,
) -> tuple[Any, Any]:
    """Return the model and processor (`protocol`) that a recipe names, frozen: composed, or a family's.

    Raises:
        WeightsError, RecipeError: see `compose`, and `family.build_family`.
    """
    if recipe.family is not None:
        return build_family(recipe, device=device, dtype=dtype, feature_dtype=feature_dtype or dtype)
    return compose(recipe, device=device, dtype=dtype, feature_dtype=feature_dtype)


def compose(
    recipe: Model,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    feature_dtype: torch.dtype | None = None,
) -> tuple[PefomedForConditionalGeneration, PefomedProcessor]:
    """Load both pretrained parts, join them by a new float32 projector, and freeze them.

    Args:
        dtype: of the language model.
        feature_dtype: what the vision encoder computes in, by default `dtype`; see `feature_precision`.

    Raises:
        WeightsError: a part cannot be had, cannot be read, or is not of a kind that can be used.
        RecipeError: image size, patch size and group do not go together.
    """
    vision_folder = resolve(recipe.vision_encoder, "vision", recipe.vision_revision)
    language_folder = resolve(recipe.language_model, "language", recipe.language_revision)
    transformers.utils.logging.disable_progress_bar()  # after resolving, which sets it back
    config = joined_config(recipe, vision_config(vision_folder), language_config(language_folder))
    check_tokens(config.vision_config, recipe.image_size)
    processor = build_processor(recipe, config, vision_folder, language_folder)
    with readable(language_folder, "configuration"), torch.device("meta"):
        model = PefomedForConditionalGeneration(config)
    precision = feature_dtype or dtype
    model.vision_encoder = load_vision(vision_folder, config.vision_config, loading_dtype(precision))
    if precision == torch.float16:
        halve(model.vision_encoder)
    if recipe.feature_norm == "encoder":
        final_norm(model.vision_encoder)
    model.language_model = load_language(language_folder, dtype)
    check_part(model.vision_encoder, vision_folder, precision, "feature_dtype")
    check_part(model.language_model, language_folder, dtype)
    processor.positions = most_positions(model.language_model)
    model.projector = _new_projector(config, model.language_model)
    if recipe.location_tokens:
        add_location_tokens(model.language_model, processor.tokenizer, recipe.location_tokens)
    model.requires_grad_(False)
    model.tie_weights()
    # When it is asked for: of several processes only the main one needs it.
    model.base_identity = cache(partial(base_at, recipe, vision_folder, language_folder))
    model.generation_config = model.language_model.generation_config
    model.to(torch.device(device))  # type: ignore[arg-type]
    return model, processor


def joined_config(recipe: Model, vision: Any, text: Any) -> PefomedConfig:
    """Return the joined configuration, checked.

    Raises:
        RecipeError: image size, patch size and group do not go together.
    """
    patch = side(vision.patch_size)
    grid = recipe.image_size // patch
    if recipe.image_size % patch or grid % recipe.group:
        raise RecipeError(
            f"model.image_size {recipe.image_size} with patches of {patch} and model.group {recipe.group}"
            " gives no whole groups in a row",
            found=f"{recipe.image_size / patch:g} patches a row",
            remedy=f"choose a multiple of {patch * recipe.group} as image_size",
        )
    layers = int(vision.num_hidden_layers)
    wanted = (recipe.vision_layer,) if isinstance(recipe.vision_layer, int) else recipe.vision_layer
    if not wanted or not all(-layers - 1 <= layer <= layers for layer in wanted):
        raise RecipeError(
            f"model.vision_layer {recipe.vision_layer} does not exist",
            found=f"hidden states 0 to {layers}",
            remedy="choose one of them, or -1 for the last",
        )
    if recipe.location_tokens:
        text = copy.deepcopy(text)
        text.vocab_size += added_rows(recipe.location_tokens)
    return PefomedConfig(
        vision,
        text,
        recipe.image_size,
        recipe.vision_layer,
        recipe.feature_norm,
        recipe.group,
        recipe.patch_positions,
    )


def build_processor(recipe: Model, config: PefomedConfig, vision: Path, language: Path) -> PefomedProcessor:
    """Return the processor of the recipe: image mean and deviation default to the encoder's own.

    Raises:
        WeightsError: the tokenizer or the encoder's mean and deviation cannot be read.
    """
    mean, std = recipe.image_mean, recipe.image_std
    if mean is None or std is None:
        own_mean, own_std = _own_mean_and_deviation(vision)
        mean, std = mean or own_mean, std or own_std
    tokenizer = load_tokenizer(language, language_config(language))
    images = PefomedImageProcessor(recipe.image_size, tuple(mean), tuple(std), recipe.resize)
    return PefomedProcessor(
        images, tokenizer, image_token_id=config.image_token_id, tokens_per_image=config.tokens_per_image
    )


def _new_projector(config: PefomedConfig, language_model: nn.Module) -> nn.Linear:
    """Return a projector whose outputs are as large as the language model's own embeddings.

    Features after a LayerNorm have unit variance, so a weight deviation of s / sqrt(inputs) gives
    outputs of deviation s; larger image tokens than word tokens slow the first steps.
    """
    inputs = config.projector_width
    projector = nn.Linear(inputs, int(config.text_config.hidden_size), dtype=torch.float32)
    scale = language_model.get_input_embeddings().weight.float().std().item()  # type: ignore[operator, union-attr]
    nn.init.normal_(projector.weight, std=scale / inputs**0.5)
    nn.init.zeros_(projector.bias)
    return projector


def _own_mean_and_deviation(folder: Path) -> list[tuple[float, float, float]]:
    path = folder / "preprocessor_config.json"
    remedy = "set model.image_mean and model.image_std in the recipe"
    if not path.exists():
        raise WeightsError(f"{folder} has no preprocessor_config.json", remedy=remedy)
    with readable(folder, "preprocessor_config.json"):
        fields = json.loads(path.read_text(encoding="utf-8"))
        pair = [fields.get(name) for name in ("image_mean", "image_std")]
    for value in pair:
        numbers = [one for one in value if isinstance(one, (int, float))] if isinstance(value, list) else []
        if len(numbers) != 3:
            raise WeightsError(
                f"{path} lacks image_mean and image_std, three numbers each", found=str(pair), remedy=remedy
            )
    return [tuple(value) for value in pair]


AutoConfig.register("pefomed", PefomedConfig, exist_ok=True)
AutoModelForCausalLM.register(PefomedConfig, PefomedForConditionalGeneration, exist_ok=True)
AutoImageProcessor.register(PefomedConfig, slow_image_processor_class=PefomedImageProcessor, exist_ok=True)
