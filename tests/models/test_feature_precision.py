"""Features are computed once, so exactly, whatever training runs in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tiny import image_files, model_recipe, table_recipe
from transformers import Blip2VisionConfig, LlamaConfig

from pefomed import recipe as recipes
from pefomed.errors import RecipeError, WeightsError
from pefomed.features.frozen import Features
from pefomed.inference.predictor import Predictor
from pefomed.models import device as devices
from pefomed.models.build import build_model
from pefomed.models.config import PefomedConfig
from pefomed.models.feature_precision import halve, precision_of
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.recipe import Compute
from pefomed.training import train
from pefomed.training.stage_training import StageTraining

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def eva(seed: int = 0) -> PefomedForConditionalGeneration:
    """A small EVA ViT of 12 layers, its weights numbers of float16, as published ones are."""
    torch.manual_seed(seed)
    vision = Blip2VisionConfig(
        hidden_size=88,
        intermediate_size=384,
        num_hidden_layers=12,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        attn_implementation="eager",
    )
    text = LlamaConfig(
        vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2
    )
    made = PefomedForConditionalGeneration(
        PefomedConfig(vision, text, image_size=56, feature_norm="layernorm")
    )
    with torch.no_grad():
        for parameter in made.vision_encoder.parameters():
            deviation = parameter.shape[-1] ** -0.5 if parameter.dim() > 1 else 0.1
            parameter.copy_(parameter.add(torch.randn_like(parameter) * deviation).half())
    return made


def test_float16_is_as_exact_as_the_authors_and_bfloat16_is_not() -> None:
    pixels = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    exact = eva().double().encode_images(pixels)

    def error(model: PefomedForConditionalGeneration) -> float:
        return float((model.encode_images(pixels).double() - exact).norm() / exact.norm())

    halved = eva()
    halve(halved.vision_encoder)
    assert precision_of(halved.vision_encoder) == halved.encode_images(pixels).dtype == torch.float16
    # Half a step is 2^-12 of a number in float16 and 2^-9 in bfloat16: a factor of 8, and the sum that goes
    # through the layers, which is float32 here, makes it more.
    assert error(eva()) < 5e-6
    assert error(halved) < 1e-3
    assert error(eva().bfloat16()) > 16 * error(halved)
    # Linear layers alone hold float16: what they add up to, norms and positions do not.
    kinds = {name: parameter.dtype for name, parameter in halved.vision_encoder.named_parameters()}
    assert kinds["embeddings.position_embedding"] == kinds["encoder.layers.0.layer_norm1.weight"]
    assert kinds["encoder.layers.0.layer_norm1.weight"] == torch.float32
    assert kinds["encoder.layers.0.mlp.fc1.weight"] == torch.float16


@pytest.mark.parametrize("precision", [torch.float32, torch.float16])
def test_what_training_runs_in_does_not_reach_the_encoder(precision: torch.dtype) -> None:
    pixels = torch.randn(1, 3, 56, 56)
    model = eva()
    if precision == torch.float16:
        halve(model.vision_encoder)
    alone = model.encode_images(pixels)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model.encode_images(pixels), alone)


@pytest.mark.parametrize(
    ("dtype", "feature_dtype", "cpu", "cuda"),
    [
        ("bfloat16", "auto", torch.float32, torch.float16),
        ("float32", "auto", torch.float32, torch.float32),
        ("bfloat16", "dtype", torch.bfloat16, torch.bfloat16),
        ("bfloat16", "float32", torch.float32, torch.float32),
        ("float32", "bfloat16", torch.bfloat16, torch.bfloat16),
        ("float16", "auto", torch.float32, torch.float16),
    ],
)
def test_the_precision_that_a_recipe_chooses(
    dtype: str, feature_dtype: str, cpu: torch.dtype, cuda: torch.dtype
) -> None:
    compute = Compute.model_validate({"dtype": dtype, "feature_dtype": feature_dtype})
    assert (devices.feature_dtype(compute, CPU), devices.feature_dtype(compute, CUDA)) == (cpu, cuda)


def test_float16_on_a_cpu_is_an_error() -> None:
    with pytest.raises(RecipeError, match="'float16' needs a GPU"):
        devices.feature_dtype(Compute(feature_dtype="float16"), CPU)


def test_a_bfloat16_run_trains_on_and_answers_from_float32_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    built: list[Any] = []
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, epochs=1)
    compute = recipe.compute.model_copy(update={"dtype": "bfloat16"})
    recipe = recipe.model_copy(update={"compute": compute})
    original = StageTraining._features
    monkeypatch.setattr(
        StageTraining,
        "_features",
        lambda self, model, *rest: built.append(model) or original(self, model, *rest),
    )
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(recipes.dumps(recipe))
    adapter = train(recipe, run, tmp_path)
    paths = image_files(tmp_path, 2)
    exact, processor = build_model(recipe.model)
    wanted = Features(exact, processor.image_processor, None)(paths)
    for model in (built[0].get_base_model(), Predictor(recipe, adapter).model.get_base_model()):
        assert next(model.language_model.parameters()).dtype == torch.bfloat16
        assert torch.equal(Features(model, processor.image_processor, None)(paths), wanted)


def test_features_beyond_float16_are_one_error(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path, feature_norm="none")
    model, processor = build_model(recipe, feature_dtype=torch.float16)
    with torch.no_grad():
        model.vision_encoder.embeddings.position_embeddings.mul_(1e9)
    with pytest.raises(WeightsError, match=r"65,504(?s:.*)compute\.feature_dtype = 'float32'"):
        Features(model, processor.image_processor, None)(image_files(tmp_path, 1))
