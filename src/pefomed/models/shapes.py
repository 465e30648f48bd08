"""What of a model's shapes decides its cost, counted on the meta device: no weights are fetched or loaded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from pefomed.models.adapter import add_adapter
from pefomed.models.describe import meta_model
from pefomed.models.layers import LINEAR, known_alone
from pefomed.recipe import Model


@dataclass(frozen=True)
class Shapes:
    """Weights are counts of numbers, widths and tokens as in `describe`; all parts of one model."""

    vision_linear: int
    """Weights of the encoder's linear layers, each used by every token."""
    patch_embedding: int
    """Weights of the convolution that embeds the patches."""
    vision_tokens: int
    """Patches, CLS and registers."""
    vision_layers: int
    vision_width: int
    """Heads x head width of the encoder's attention."""
    patches: int
    feature_width: int
    tokens_per_image: int
    """Image tokens that the language model reads."""
    projector: int
    decoder_linear: int
    """Weights of the language model's linear layers, LoRA and the output layer left out."""
    lora: int
    decoder_layers: int
    decoder_width: int
    """Heads x head width of the language model's attention."""
    head: int
    """Weights of the output layer: hidden width x vocabulary."""
    alone: str = ""
    """The language model's family, where it is known to need one question a row."""


def shapes(recipe: Model) -> Shapes:
    """Return the shapes of the model that `recipe` names.

    Raises:
        RecipeError: image size, patches, group, layer or LoRA targets do not fit the parts.
        WeightsError: a part is unknown, or its configuration is neither known, on this disk nor on the hub.
    """
    model = meta_model(recipe)
    config, text, vision = model.config, model.config.text_config, model.config.vision_config
    heads = int(getattr(text, "num_attention_heads", None) or 0)
    head_width = int(getattr(text, "head_dim", None) or text.hidden_size // max(1, heads))
    decoder_linear = _linear(model.get_decoder(), int(text.num_hidden_layers))
    counted = {
        "vision_linear": _linear(model.vision_encoder, int(vision.num_hidden_layers)),
        "patch_embedding": sum(
            module.weight.numel()
            for module in model.vision_encoder.modules()
            if isinstance(module, nn.Conv2d) and module.in_channels == 3
        ),
        "vision_tokens": config.grid**2 + _before_patches(model.vision_encoder, vision),
        "projector": sum(parameter.numel() for parameter in model.projector.parameters()),
    }
    with torch.device("meta"):
        adapted = add_adapter(model, recipe.lora)
    lora = sum(parameter.numel() for name, parameter in adapted.named_parameters() if "lora_" in name)
    return Shapes(
        **counted,
        vision_layers=int(vision.num_hidden_layers),
        vision_width=int(vision.hidden_size),
        patches=config.grid**2,
        feature_width=config.feature_width,
        tokens_per_image=config.tokens_per_image,
        decoder_linear=decoder_linear,
        lora=lora,
        decoder_layers=int(text.num_hidden_layers),
        decoder_width=heads * head_width,
        head=int(text.hidden_size) * int(text.vocab_size),
        alone=str(text.model_type) if known_alone(model.language_model) else "",
    )


def _linear(part: nn.Module, layers: int) -> int:
    # Of the stack of layers alone: what stands after it (a pooling head, a mask's classifier) sees one token.
    stacks = (m for m in part.modules() if isinstance(m, nn.ModuleList) and len(m) == layers)
    stack = next(stacks, part)
    return sum(module.weight.numel() for module in stack.modules() if isinstance(module, LINEAR))


def _before_patches(encoder: nn.Module, config: object) -> int:
    cls = any(name.endswith(("cls_token", "class_embedding")) for name, _ in encoder.named_parameters())
    return int(cls) + int(getattr(config, "num_register_tokens", 0) or 0)
