"""Counts against published ones, and the memory estimate against what autograd really keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from pefomed import recipe as recipes
from pefomed.errors import RecipeError, WeightsError
from pefomed.models import describe as module
from pefomed.models.config import PefomedConfig
from pefomed.models.describe import describe, part_config
from pefomed.recipe import Recipe
from pefomed.weights import hub, lookup
from pefomed.weights.known import KNOWN

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(autouse=True)
def nothing_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "on_disk", lambda *_: None)
    monkeypatch.setattr(hub, "_unreachable", "no network in this test")


def made(**model: Any) -> Recipe:
    fields = {"vision_encoder": "dinov2-small", "language_model": "smollm2-135m"} | model
    stage = {"name": "task", "data": {"d": 1}, "steps": 1, "lr": 1e-4, "lr_end": 1e-5}
    data = {"d": {"loader": "phantom", "root": "d"}}
    return recipes.parse({"name": "test", "model": fields, "data": data, "stages": [stage]})


def test_the_paper_recipe_trains_56_627_200_weights() -> None:
    described = describe(recipes.load(RECIPES / "paper" / "vqa_rad.toml"))
    counts = {part["name"].split(" (")[0]: part["parameters"] for part in described["parts"]}
    # LoRA of rank 64 on q and v: 32 layers x 2 modules x 64 x (4096 + 4096)
    assert counts["LoRA"] == 33_554_432
    # Linear(4 x 1408, 4096): 5632 x 4096 + 4096
    assert counts["projector"] == 23_072_768
    assert described["trainable"] == 56_627_200
    # LLaMA-2 7B has 6,738,415,616 weights
    assert counts["language model"] == 6_738_415_616
    # EVA ViT-g without its last layer: per layer qkv and output with biases, MLP, two norms; around them
    # the patches, CLS, 257 positions and the last norm
    layer = 1408 * 4224 + 4224 + 1408 * 1408 + 1408 + 2 * 1408 * 6144 + 6144 + 1408 + 4 * 1408
    around = 3 * 14 * 14 * 1408 + 1408 + 1408 + 257 * 1408 + 2 * 1408
    assert counts["vision encoder"] == 39 * layer + around
    assert described["tokens_per_image"] == 256
    assert described["total"] == sum(counts.values())
    # 6.738 billion frozen weights of two bytes, and an encoder of 0.986 billion: four bytes on a CPU
    assert described["memory"]["precision"] == "bfloat16"
    encoder = {"float32": 4, "float16": 2}[described["memory"]["feature_precision"]]
    assert encoder == (2 if torch.cuda.is_available() else 4)
    frozen = (2 * 6.738e9 + encoder * 0.986e9) / 2**30
    assert described["memory"]["frozen_weights_gib"] == pytest.approx(frozen, abs=0.02)
    # the authors train it on cards of 48 GB
    assert 15 < described["memory"]["training_gib"] < 48


@pytest.mark.parametrize("path", sorted((RECIPES / "paper").glob("*.toml")), ids=lambda path: path.stem)
def test_every_paper_recipe_adapts_the_same(path: Path) -> None:
    model = recipes.load(path).model
    assert (model.vision_encoder, model.language_model) == ("eva-vit-g", "llama-2-7b-chat")
    assert (model.lora.r, model.lora.targets, model.group, model.image_size) == (
        64,
        ("q_proj", "v_proj"),
        4,
        448,
    )


def test_the_mini_base() -> None:
    described = describe(made(lora={"r": 8}))
    trained = {part["name"].split(" (")[0]: part["trained"] for part in described["parts"]}
    # 30 layers, rank 8: q 576 -> 576, v 576 -> 192; Linear(4 x 384, 576)
    assert trained["LoRA"] == 30 * 8 * (576 + 576 + 576 + 192)
    assert trained["projector"] == 1536 * 576 + 576
    assert (trained["language model"], trained["vision encoder"]) == (0, 0)
    assert described["tokens_per_image"] == 16 * 16 / 4


def test_what_no_stage_trains_is_not_counted_as_trained() -> None:
    recipe = made()
    stage = recipe.stages[0].model_copy(update={"train": ("projector",)})
    described = describe(recipe.model_copy(update={"stages": (stage,)}))
    assert described["trainable"] == 1536 * 576 + 576


@pytest.mark.parametrize("name", sorted(name for name, known in KNOWN.items() if known.kind == "vision"))
def test_every_known_encoder_can_be_described(name: str) -> None:
    config = part_config(name, "vision")
    described = describe(made(vision_encoder=name, image_size=config.patch_size * 8))
    assert described["tokens_per_image"] == 16


def test_a_hub_id_of_a_known_part_is_known() -> None:
    assert part_config("meta-llama/Llama-2-7b-chat-hf", "language").hidden_size == 4096


def test_known_configurations_are_those_of_the_published_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    for name, known in KNOWN.items():
        for folder in next(part for part in lookup.listing() if part.name == name).cached.values():
            config: Any = AutoConfig.from_pretrained(folder)
            config = getattr(config, "vision_config", config)
            fields = {key: getattr(config, key) for key in known.config}
            assert fields | {"use_mask_token": None} == dict(known.config) | {"use_mask_token": None}
            seen += 1
    if not seen:
        pytest.skip("no known weights are on this disk")


def test_parts_nobody_knows() -> None:
    with pytest.raises(WeightsError, match="hub cannot be reached for some/encoder"):
        describe(made(vision_encoder="some/encoder"))
    with pytest.raises(RecipeError, match="'query' matches no linear layer"):
        describe(made(lora={"targets": ["query"]}))


def kept_bytes(config: LlamaConfig, recipe: Recipe, dtype: torch.dtype, rows: int, length: int) -> int:
    """Count what autograd keeps of a forward pass, parameters and attention masks left out."""
    model = LlamaForCausalLM(config).to(dtype)
    lora = recipe.model.lora
    adapted = get_peft_model(
        model,
        LoraConfig(r=lora.r, lora_dropout=lora.dropout, target_modules=list(lora.targets)),
    ).train()
    if recipe.compute.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    own = {parameter.untyped_storage().data_ptr() for parameter in adapted.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and tensor.shape[-2:] != (length, length):
            kept[storage.data_ptr()] = storage  # holding it keeps the address from being used again
        return tensor

    embeds = torch.randn(rows, length, config.hidden_size, dtype=dtype, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.model(inputs_embeds=embeds, use_cache=False)
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("dropout", [0.0, 0.05])
@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], "q_proj k_proj v_proj o_proj down_proj".split()])
def test_activations_are_what_autograd_keeps(targets: list[str], dropout: float, dtype: torch.dtype) -> None:
    rows, length, layers, width = 2, 96, 6, 64
    text = LlamaConfig(
        vocab_size=10,
        hidden_size=width,
        intermediate_size=176,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    recipe = made(lora={"r": 8, "dropout": dropout, "targets": targets})
    stage = recipe.stages[0].model_copy(update={"batch_tokens": rows * length, "batch_size": rows})
    config = PefomedConfig(None, text)
    estimate = module._activations(recipe, stage, config, dtype.itemsize)
    assert estimate == pytest.approx(kept_bytes(text, recipe, dtype, rows, length), rel=0.12)

    compute = recipe.compute.model_copy(update={"gradient_checkpointing": True})
    recipe = recipe.model_copy(update={"compute": compute})
    # what is kept: the input of each layer, and the last norm's in float32; one layer is recomputed at a time
    kept = kept_bytes(text, recipe, dtype, rows, length) - rows * length * width * 4
    recomputed = estimate / layers
    estimate = module._activations(recipe, stage, config, dtype.itemsize)
    assert estimate == pytest.approx(kept + recomputed, rel=0.05)
