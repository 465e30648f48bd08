"""Operations by the formulas of `scale` on counted shapes, against what torch counts of the models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests import tiny
from torch.utils.flop_counter import FlopCounterMode

from pefomed import recipe as recipes
from pefomed.cost import operations
from pefomed.models.adapter import add_adapter, trainable
from pefomed.models.build import build_model
from pefomed.models.describe import meta_model, part_config
from pefomed.models.shapes import shapes
from pefomed.recipe import Model
from pefomed.weights import hub, lookup
from pefomed.weights.known import KNOWN

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def nothing_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "on_disk", lambda *_: None)
    monkeypatch.setattr(hub, "_unreachable", "no network in this test")


def counted(model: Model) -> int:
    joined = meta_model(model)
    size = model.image_size
    with FlopCounterMode(display=False) as counter:
        joined.encode_images(torch.empty(1, 3, size, size, device="meta"))
    return int(counter.get_total_flops())


@pytest.mark.usefixtures("nothing_on_disk")
@pytest.mark.parametrize("name", sorted(name for name, known in KNOWN.items() if known.kind == "vision"))
def test_encoding_is_what_torch_counts(name: str) -> None:
    size = part_config(name, "vision").patch_size * 8
    model = Model(
        vision_encoder=name, language_model="smollm2-135m", image_size=size, feature_norm="layernorm"
    )
    # siglip alone has more than its layers: a pooling head, which one query reads
    assert operations.encoding(shapes(model)) == pytest.approx(
        counted(model), rel=0.02 if "sig" in name else 0
    )


@pytest.mark.usefixtures("nothing_on_disk")
def test_the_paper_model() -> None:
    model = recipes.load(RECIPES / "paper" / "stage1.toml").model
    found = shapes(model)
    assert operations.encoding(found) == counted(model)
    # LLaMA-2 7B: 6,738,415,616 weights without embedding, output layer and 65 norms of 4096
    assert found.decoder_linear == 6_738_415_616 - 2 * 4096 * 32000 - 65 * 4096
    assert (found.lora, found.projector) == (33_554_432, 23_072_768)
    assert (found.vision_tokens, found.patches, found.feature_width) == (1025, 1024, 1408)
    assert (found.tokens_per_image, found.head) == (256, 4096 * 32000)


@pytest.mark.parametrize("key_value_heads", [4, 2])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("train", [("projector", "lora"), ("projector",)])
def test_training_is_what_torch_counts(
    train: tuple[str, ...], checkpointing: bool, key_value_heads: int, tmp_path: Path
) -> None:
    recipe = tiny.model_recipe(tmp_path, key_value_heads=key_value_heads)
    base, _ = build_model(recipe)
    # written out in products of matrices, which is what is counted
    base.language_model.set_attn_implementation("eager")
    model = add_adapter(base, recipe.lora).train()
    trainable(model, train)
    if checkpointing:
        base.language_model.gradient_checkpointing_enable({"use_reentrant": False})
    rows, length, answers = 3, 24, 5
    image = base.config.tokens_per_image
    ids = torch.full((rows, length), 5)
    ids[:, :image] = base.config.image_token_id
    features = torch.randn(rows, base.config.grid**2, base.config.feature_width)
    places = (torch.zeros(answers, dtype=torch.long), torch.arange(answers) + image)
    with FlopCounterMode(display=False) as counter:
        model(
            input_ids=ids, image_features=features, answer_index=places, use_cache=False
        ).logits.sum().backward()
    expected = operations.training(
        shapes(recipe),
        tokens=rows * length,
        pairs=rows * length**2,  # masked or not, torch computes them all
        answers=answers,
        image_tokens=rows * image,
        checkpointing=checkpointing,
        lora="lora" in train,
        projector="projector" in train,
    )
    # What is checkpointed is computed again only as far as something needs it, and nothing does down_proj's.
    last = base.config.text_config.num_hidden_layers * 32 * 64
    spared = 2 * rows * length * last if checkpointing else 0
    # rotary embeddings are not in the formula
    assert counter.get_total_flops() == pytest.approx(expected - spared, rel=0.005)
