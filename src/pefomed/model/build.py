"""From a recipe's [model] table to a model and its processor, weights loaded or on the meta device."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    Blip2VisionModel,
)

from pefomed.errors import RecipeError, WeightsError
from pefomed.model.config import PefomedConfig
from pefomed.model.finite import check_part
from pefomed.model.location_tokens import add_location_tokens, added
from pefomed.model.modeling import PefomedForConditionalGeneration
from pefomed.model.processing import PefomedImageProcessor, PefomedProcessor
from pefomed.model.weights import resolve
from pefomed.recipe import Model


def build_model(
    recipe: Model, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[PefomedForConditionalGeneration, PefomedProcessor]:
    """Load both pretrained parts in `dtype`, join them by a new float32 projector, and freeze them.

    Raises:
        WeightsError: a part cannot be had or does not fit.
        RecipeError: image size, patch size and group do not go together.
    """
    vision_folder = resolve(recipe.vision_encoder, "vision", recipe.vision_revision)
    language_folder = resolve(recipe.language_model, "language", recipe.language_revision)
    transformers.utils.logging.disable_progress_bar()  # after resolving, which sets it back
    config = joined_config(recipe, _vision_config(vision_folder), AutoConfig.from_pretrained(language_folder))
    with torch.device("meta"):
        model = PefomedForConditionalGeneration(config)
    model.vision_encoder = _load_vision(vision_folder, config.vision_config, dtype)
    model.language_model = _load(AutoModelForCausalLM, language_folder, dtype)
    check_part(model.vision_encoder, vision_folder, dtype)
    check_part(model.language_model, language_folder, dtype)
    model.projector = _new_projector(config, model.language_model)
    processor = build_processor(recipe, config, vision_folder, language_folder)
    if recipe.location_tokens:
        add_location_tokens(model.language_model, processor.tokenizer, recipe.location_tokens)
    model.requires_grad_(False)
    model.tie_weights()
    model.generation_config = model.language_model.generation_config
    model.to(torch.device(device))  # type: ignore[arg-type]
    return model, processor


def joined_config(recipe: Model, vision: Any, text: Any) -> PefomedConfig:
    """Return the joined configuration, checked.

    Raises:
        RecipeError: image size, patch size and group do not go together.
    """
    patch = int(vision.patch_size)
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
        text.vocab_size += added(recipe.location_tokens)
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
    """Return the processor of the recipe: image mean and deviation default to the encoder's own."""
    mean, std = recipe.image_mean, recipe.image_std
    if mean is None or std is None:
        own = _preprocessor_fields(vision)
        mean, std = mean or own["image_mean"], std or own["image_std"]
    tokenizer = AutoTokenizer.from_pretrained(language)
    images = PefomedImageProcessor(recipe.image_size, tuple(mean), tuple(std), recipe.resize)
    return PefomedProcessor(
        images, tokenizer, image_token_id=config.image_token_id, tokens_per_image=config.tokens_per_image
    )


def _vision_config(folder: Path) -> Any:
    config = AutoConfig.from_pretrained(folder)
    return getattr(config, "vision_config", config)


def _load_vision(folder: Path, config: Any, dtype: torch.dtype) -> nn.Module:
    if config.model_type == "blip_2_vision_model":
        # A whole BLIP-2 keeps its encoder under this prefix; transformers expects another one.
        names = {r"^vision_model\.": ""}
        return _load(Blip2VisionModel, folder, dtype, config=config, key_mapping=names).eval()
    kind: Any = AutoModel
    if AutoConfig.from_pretrained(folder).model_type != config.model_type:
        # CLIP and SigLIP folders hold a text half too; the vision class picks its own tensors.
        with torch.device("meta"):
            kind = type(AutoModel.from_config(config))
    return _load(kind, folder, dtype, config=config).eval()


def _load(kind: Any, folder: Path, dtype: torch.dtype, **options: Any) -> Any:
    """Load a pretrained part; a tensor it needs and does not find is an error, never a random one."""
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # the halves we leave out are no news
    try:
        model, report = kind.from_pretrained(folder, dtype=dtype, output_loading_info=True, **options)
    finally:
        transformers.utils.logging.set_verbosity(before)
    missing = sorted(report["missing_keys"])
    if missing:
        raise WeightsError(
            f"the weights in {folder} lack tensors their configuration needs",
            found=f"{len(missing)} missing, e.g. {', '.join(missing[:5])}",
            remedy="fetch them again with `pefomed weights fetch`, or name a matching part",
        )
    return model


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


def _preprocessor_fields(folder: Path) -> dict[str, Any]:
    import json

    path = folder / "preprocessor_config.json"
    if path.exists():
        return json.loads(path.read_text())  # type: ignore[no-any-return]
    raise WeightsError(
        f"{folder} has no preprocessor_config.json",
        remedy="set model.image_mean and model.image_std in the recipe",
    )


AutoConfig.register("pefomed", PefomedConfig, exist_ok=True)
AutoModelForCausalLM.register(PefomedConfig, PefomedForConditionalGeneration, exist_ok=True)
AutoImageProcessor.register(PefomedConfig, slow_image_processor_class=PefomedImageProcessor, exist_ok=True)
