"""Location tokens: how boxes are tokenised, what the new embeddings are, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.tiny import byte_tokenizer, model_recipe
from transformers import LlamaForCausalLM

from pefomed import recipe as recipes
from pefomed.errors import RecipeError, WeightsError
from pefomed.models import location_tokens
from pefomed.models.build import build_model
from pefomed.models.describe import meta_model


def test_a_number_of_a_box_is_one_token_and_all_else_as_before(tmp_path: Path) -> None:
    plain, before = build_model(model_recipe(tmp_path))
    model, processor = build_model(model_recipe(tmp_path, location_tokens=100))
    first = plain.config.image_token_id
    text = "{<0><7><45><100>}<delim>{<1><2><3><4>}"
    tokens = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert [token - first for token in tokens if token >= first] == [0, 7, 45, 100, 1, 2, 3, 4]
    assert processor.tokenizer.decode(tokens, skip_special_tokens=True) == text
    assert len(processor.encode_answer("{<12><30><45><60>}")) == 7
    for other in ("a < 5 > b", "<101>", "<07>", "where is it?"):
        assert processor.encode(other) == before.encode(other)
    assert model.config.image_token_id == first + 101
    old, new = (one.get_input_embeddings().weight for one in (plain, model))
    assert torch.equal(new[:first], old)
    assert new.shape == (first + 101, 32)
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("tied", [True, False])
def test_input_and_output_have_rows_of_their_own_kind(tmp_path: Path, tied: bool) -> None:
    recipe = model_recipe(tmp_path, location_tokens=10)
    if tied:
        language = LlamaForCausalLM.from_pretrained(recipe.language_model)
        language.config.tie_word_embeddings = True
        language.set_output_embeddings(torch.nn.Linear(32, language.config.vocab_size, bias=False))
        language.tie_weights()
        language.save_pretrained(recipe.language_model)
    model, processor = build_model(recipe)
    inputs, outputs = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    first = processor.tokenizer.convert_tokens_to_ids("<0>")
    digits = processor.tokenizer.convert_tokens_to_ids([*"0123456789"])
    assert (inputs is outputs) == tied
    for weight in (inputs, outputs):
        expected = location_tokens.rows(weight[:first], digits, 10)
        torch.testing.assert_close(weight[first:], expected)
    named = {name: tuple(tensor.shape) for name, tensor in meta_model(recipe).named_parameters()}
    assert named == {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}


def test_rows_change_smoothly_and_tell_all_steps_apart() -> None:
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(50, 64, generator=generator) + 1
    made = location_tokens.rows(embeddings, list(range(10)), 100)
    assert made.shape == (101, 64)
    # The part of the position: length of a mean row, alike for neighbours, less and less for others.
    part = made - embeddings[:10].mean(0)
    assert part.norm(dim=1).mean() == pytest.approx(float(embeddings.norm(dim=1).mean()), rel=1e-4)
    alike = torch.nn.functional.cosine_similarity(part[:, None], part[None], dim=-1)
    near = torch.stack([alike.diagonal(distance).mean() for distance in range(12)])
    assert (near.diff() < 0).all()
    assert near[1] > 0.95
    away = alike.masked_fill(torch.eye(101, dtype=torch.bool), -1)
    assert away.max() < 0.999
    # R keeps products: phi(0) . phi(1) / |phi|^2 is the sum of cos(pi 2^j) 2^-j over that of 2^-j,
    # and cos(pi 2^j) is 0 for j = -1, -1 for j = 0 and 1 beyond: (0 - 1 + 31/32) / (127/32).
    assert part[0] @ part[100] / part[0].norm() ** 2 == pytest.approx(-1 / 127, abs=1e-4)


def test_a_tokenizer_of_another_model_is_an_error(tmp_path: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(model_recipe(tmp_path).language_model)
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["more", "tokens"])
    with pytest.raises(WeightsError, match="do not belong together"):
        location_tokens.add_location_tokens(model, tokenizer, 10)


def test_steps_and_tokens_must_agree(tmp_path: Path) -> None:
    table = {"name": "x", "model": model_recipe(tmp_path, location_tokens=50).model_dump(exclude_none=True)}
    with pytest.raises(RecipeError, match=r"location_tokens.* is 50 .*box_bins.* 100"):
        recipes.parse(table)
    assert recipes.parse({**table, "prompt": {"box_bins": 50}}).model.location_tokens == 50
