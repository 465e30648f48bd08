"""The joined model as an ordinary Hugging Face and PEFT model, with every kind of vision encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.tiny import MEAN, STD, model_recipe
from transformers import (
    AutoModelForCausalLM,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2VisionConfig,
    Blip2VisionModel,
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.adapter import add_adapter, save_adapter
from pefomed.models.build import build_model
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.processing import PefomedImageProcessor

SMALL = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}
ENCODERS = {
    "eva (BLIP-2)": (Blip2VisionConfig, Blip2VisionModel),
    "clip": (CLIPVisionConfig, CLIPVisionModel),
    "siglip": (SiglipVisionConfig, SiglipVisionModel),
}


def encoder_folder(root: Path, kind: str) -> Path:
    torch.manual_seed(4)
    config_class, model_class = ENCODERS[kind]
    folder = root / "encoder"
    model_class(config_class(**SMALL)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    return folder


@pytest.mark.parametrize("kind", ENCODERS)
def test_features_of_each_encoder_are_its_own_without_cls(tmp_path: Path, kind: str) -> None:
    folder = encoder_folder(tmp_path, kind)
    recipe = model_recipe(tmp_path, vision_encoder=str(folder), vision_layer=-1, feature_norm="encoder")
    model, _ = build_model(recipe)
    pixels = torch.randn(2, 3, 56, 56)
    original = ENCODERS[kind][1].from_pretrained(folder).eval()
    expected = original(pixels).last_hidden_state
    expected = expected[:, expected.shape[1] - 16 :]  # 4 x 4 patches; SigLIP has no CLS
    if kind == "clip":  # whose last_hidden_state comes before the final norm
        expected = original.post_layernorm(expected)
    assert torch.allclose(model.encode_images(pixels), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ENCODERS)
def test_another_image_size_interpolates_the_positions(tmp_path: Path, kind: str) -> None:
    recipe = model_recipe(tmp_path, vision_encoder=str(encoder_folder(tmp_path, kind)), image_size=112)
    model, _ = build_model(recipe)
    assert model.encode_images(torch.randn(1, 3, 112, 112)).shape == (1, 64, 16)
    assert model.config.tokens_per_image == 32


def test_a_folder_with_a_text_half_gives_its_vision_half(tmp_path: Path) -> None:
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    whole = CLIPModel(CLIPConfig(text_config=text, vision_config=SMALL))
    folder = tmp_path / "clip"
    whole.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    model, _ = build_model(model_recipe(tmp_path, vision_encoder=str(folder)))
    found = dict(model.vision_encoder.named_parameters())
    expected = dict(whole.vision_model.named_parameters())
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_a_whole_blip2_gives_its_eva(tmp_path: Path) -> None:
    text = {"model_type": "opt", "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 2, "ffn_dim": 16, "word_embed_proj_dim": 16}
    middle = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    middle |= {"encoder_hidden_size": 16, "vocab_size": 50}
    config = Blip2Config(vision_config=SMALL, qformer_config=middle, text_config=text, num_query_tokens=2)
    whole = Blip2ForConditionalGeneration(config)
    folder = tmp_path / "blip2"
    whole.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    model, _ = build_model(model_recipe(tmp_path, vision_encoder=str(folder)))
    found = dict(model.vision_encoder.named_parameters())
    expected = dict(whole.vision_model.named_parameters())
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_a_missing_tensor_is_an_error_not_a_random_one(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    file = Path(recipe.language_model) / "model.safetensors"
    state = load_file(file)
    del state["model.layers.1.mlp.up_proj.weight"]
    save_file(state, file, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"model\.layers\.1\.mlp\.up_proj\.weight"):
        build_model(recipe)


def test_groups_are_neighbours_of_a_row_in_raster_order(tmp_path: Path) -> None:
    model, _ = build_model(model_recipe(tmp_path, group=4))
    with torch.no_grad():  # a projector that shows what it is given: the first number of each patch
        model.projector.weight.zero_()
        for place in range(4):
            model.projector.weight[place, place * 16] = 1.0
    features = torch.zeros(1, 16, 16)
    features[0, :, 0] = torch.arange(16.0)
    assert model.project(features)[0, :, :4].tolist() == [[4.0 * r + c for c in range(4)] for r in range(4)]


def test_several_hidden_states_are_concatenated_each_with_its_own_norm(tmp_path: Path) -> None:
    pixels = torch.randn(2, 3, 56, 56)
    alone = [
        build_model(model_recipe(tmp_path, vision_layer=layer))[0].encode_images(pixels) for layer in (1, 2)
    ]
    both, _ = build_model(model_recipe(tmp_path, vision_layer=(1, 2)))
    assert torch.equal(both.encode_images(pixels), torch.cat(alone, dim=-1))
    assert both.projector.in_features == 2 * 16 * both.config.group
    both.save_pretrained(tmp_path / "saved")
    loaded = PefomedForConditionalGeneration.from_pretrained(tmp_path / "saved").eval()
    assert loaded.config.vision_layers == [1, 2]
    assert torch.equal(loaded.encode_images(pixels), both.encode_images(pixels))


@pytest.mark.parametrize("layers", [(), (1, 3), 3])
def test_hidden_states_that_do_not_exist_are_an_error(tmp_path: Path, layers: object) -> None:
    with pytest.raises(RecipeError, match="does not exist"):
        build_model(model_recipe(tmp_path, vision_layer=layers))


def test_save_and_load_give_the_same_model(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    model.save_pretrained(tmp_path / "saved")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved").eval()
    assert isinstance(again, PefomedForConditionalGeneration)
    inputs = processor(
        "[INST] <Img><ImageHere></Img> [vqa] what? [/INST]", Image.new("RGB", (60, 50), "gray")
    )
    with torch.no_grad():
        assert torch.equal(model.eval()(**inputs).logits, again(**inputs).logits)


def test_generate_answers_from_pixels(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    text = "[INST] <Img><ImageHere></Img> [vqa] what? [/INST]"
    images = [Image.new("RGB", (60, 50), color) for color in ("black", "white")]
    batch = processor([text, text + " longer"], images)
    found = model.generate(**batch, max_new_tokens=5, do_sample=False)
    assert found.shape == (2, batch["input_ids"].shape[1] + 5)


def test_peft_alone_loads_the_adapter_with_its_projector(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    base, processor = build_model(recipe)
    model = add_adapter(base, recipe.lora)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                parameter.normal_()
    save_adapter(model, tmp_path / "adapter")
    fresh, _ = build_model(recipe)
    loaded = PeftModel.from_pretrained(fresh, str(tmp_path / "adapter"))
    inputs: dict[str, Any] = dict(processor("a <ImageHere> b", Image.new("RGB", (60, 50), "gray")))
    with torch.no_grad():
        expected = model.eval()(**inputs).logits
        assert torch.equal(expected, loaded.eval()(**inputs).logits)
        merged = loaded.merge_and_unload()
        assert torch.allclose(expected, merged(**inputs).logits, atol=1e-4)


def test_logits_at_chosen_places_are_those_of_the_whole(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    inputs = processor(["a <ImageHere> b", "c <ImageHere> d"], [Image.new("RGB", (60, 50), "gray")] * 2)
    whole = model(**inputs).logits
    rows, columns = torch.tensor([1, 0, 1]), torch.tensor([2, 3, 9])
    assert torch.allclose(
        model(**inputs, answer_index=(rows, columns)).logits[0], whole[rows, columns], atol=1e-5
    )


def test_the_wrong_number_of_images_is_an_error(tmp_path: Path) -> None:
    model, processor = build_model(model_recipe(tmp_path))
    inputs = processor("two <ImageHere> places <ImageHere>", Image.new("RGB", (60, 50)))
    with pytest.raises(ValueError, match="places for 16 image tokens, the images give 8"):
        model(**inputs)


def test_a_grid_that_groups_do_not_divide_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="choose a multiple of 42"):
        build_model(model_recipe(tmp_path, group=3))


def test_the_image_is_squashed_or_letterboxed_and_never_flipped() -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))  # the left half
    plain = PefomedImageProcessor(8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "squash").pixels(image)
    assert plain[0, :, :3].min() > 0.95
    assert plain[0, :, 5:].max() < 0.05
    boxed = PefomedImageProcessor(8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "letterbox").pixels(image)
    assert boxed[0, :2].max() == boxed[0, 6:].max() == 0  # padding above and below
    assert boxed[0, 2:6, :3].min() > 0.95
