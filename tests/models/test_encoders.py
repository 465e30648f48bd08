"""Every family of vision encoders: features are the patches' own, others are refused by one error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tests.tiny import MEAN, STD, model_recipe

from pefomed.errors import RecipeError, WeightsError
from pefomed.features.frozen import space
from pefomed.models.build import build_model

S: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}
D = {name: value for name, value in S.items() if name != "intermediate_size"}
TEXT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}

# What is saved, and the model whose hidden states are expected; None: the saved one itself.
TAKEN: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "ViT": (lambda: hf.ViTModel(hf.ViTConfig(**S)), lambda m: m),
    "ViT, a classifier": (lambda: hf.ViTForImageClassification(hf.ViTConfig(**S)), lambda m: m.vit),
    "DeiT": (lambda: hf.DeiTModel(hf.DeiTConfig(**S)), lambda m: m),
    "DeiT, a classifier": (lambda: hf.DeiTForImageClassification(hf.DeiTConfig(**S)), lambda m: m.deit),
    "BEiT": (lambda: hf.BeitModel(hf.BeitConfig(**S)), lambda m: m),
    "BEiT, a classifier": (lambda: hf.BeitForImageClassification(hf.BeitConfig(**S)), lambda m: m.beit),
    "DINOv2": (lambda: hf.Dinov2Model(hf.Dinov2Config(**D)), lambda m: m),
    "DINOv2, a classifier": (
        lambda: hf.Dinov2ForImageClassification(hf.Dinov2Config(**D)),
        lambda m: m.dinov2,
    ),
    "DINOv2 with registers": (
        lambda: hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**D)),
        lambda m: m,
    ),
    "DINOv3": (lambda: hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**S, num_register_tokens=4)), lambda m: m),
    "SigLIP": (lambda: hf.SiglipVisionModel(hf.SiglipVisionConfig(**S)), lambda m: m),
    "CLIP": (lambda: hf.CLIPVisionModel(hf.CLIPVisionConfig(**S)), lambda m: m),
    "CLIP, a classifier": (
        lambda: hf.CLIPForImageClassification(hf.CLIPConfig(vision_config=S, text_config=TEXT)),
        lambda m: m.vision_model,
    ),
    "EVA (BLIP-2)": (lambda: hf.Blip2VisionModel(hf.Blip2VisionConfig(**S)), lambda m: m),
    "I-JEPA": (lambda: hf.IJepaModel(hf.IJepaConfig(**S)), lambda m: m),
}
REFUSED: dict[str, Callable[[], Any]] = {
    "Swin": lambda: hf.SwinModel(
        hf.SwinConfig(
            image_size=56, patch_size=7, embed_dim=8, depths=[1, 1], num_heads=[1, 1], window_size=2
        )
    ),
    "ConvNeXt": lambda: hf.ConvNextModel(hf.ConvNextConfig(hidden_sizes=[8] * 4, depths=[1] * 4)),
    "MAE": lambda: hf.ViTMAEModel(
        hf.ViTMAEConfig(
            **S, decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2
        )
    ),
    "SigLIP 2 NaFlex": lambda: hf.Siglip2VisionModel(
        hf.Siglip2VisionConfig(**{k: v for k, v in S.items() if k != "image_size"}, num_patches=16)
    ),
    "SAM": lambda: hf.SamVisionModel(
        hf.SamVisionConfig(**D, output_channels=8, window_size=2, global_attn_indexes=[1])
    ),
    "YOLOS, tokens behind the patches": lambda: hf.YolosModel(
        hf.YolosConfig(**(S | {"image_size": [56, 56]}), num_detection_tokens=5)
    ),
    "ResNet": lambda: hf.ResNetModel(hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1])),
    "BERT": lambda: hf.BertModel(hf.BertConfig(vocab_size=30, **TEXT)),
}


def folder_of(model: Any, root: Path) -> str:
    folder = root / "encoder"
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    return str(folder)


@pytest.mark.parametrize("family", TAKEN)
def test_features_are_the_hidden_states_of_the_patches(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make, inner = TAKEN[family]
    saved = make().eval()
    settings: dict[str, Any] = {
        "vision_encoder": folder_of(saved, tmp_path),
        "vision_layer": 1,
        "feature_norm": "none",
    }
    model, processor = build_model(model_recipe(tmp_path, **settings))
    pixels = torch.randn(2, 3, 56, 56)
    with torch.no_grad():
        expected = inner(saved)(pixels, output_hidden_states=True).hidden_states[1][:, -16:]
    assert torch.allclose(model.encode_images(pixels), expected, atol=1e-6)
    again, _ = build_model(model_recipe(tmp_path, **settings))
    # Nothing random is left in it, by which kept features would never be found again.
    assert space(model, processor.image_processor) == space(again, processor.image_processor)


@pytest.mark.parametrize("family", REFUSED)
def test_an_encoder_without_a_token_for_each_patch_is_one_error(family: str, tmp_path: Path) -> None:
    folder = folder_of(REFUSED[family](), tmp_path)
    with pytest.raises(WeightsError, match=r"not a vision encoder with one token for each p(?s:.*)ViT, DeiT"):
        build_model(model_recipe(tmp_path, vision_encoder=folder))


def test_an_encoder_of_one_image_size_says_which(tmp_path: Path) -> None:
    folder = folder_of(hf.Aimv2VisionModel(hf.Aimv2VisionConfig(**S)), tmp_path)
    build_model(model_recipe(tmp_path, vision_encoder=folder, feature_norm="layernorm"))
    with pytest.raises(RecipeError, match=r"set model\.image_size = 56"):
        build_model(model_recipe(tmp_path, vision_encoder=folder, image_size=112))


def test_an_encoder_without_a_final_norm_says_what_to_set(tmp_path: Path) -> None:
    folder = folder_of(hf.Aimv2VisionModel(hf.Aimv2VisionConfig(**S)), tmp_path)
    with pytest.raises(RecipeError, match=r"no final norm(?s:.*)'layernorm'"):
        build_model(model_recipe(tmp_path, vision_encoder=folder, feature_norm="encoder"))
