"""A `.pth` of MiniGPT-v2's names into an adapter folder, into a model, and out again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.tiny import model_recipe

from pefomed.errors import WeightsError
from pefomed.models.adapter import adapter_state, load_adapter, read_adapter
from pefomed.models.build import build_model
from pefomed.models.exchange import export_adapter, import_adapter
from pefomed.models.start import start_adapter
from pefomed.recipe import parse


def checkpoint(default: bool) -> dict[str, torch.Tensor]:
    """The published names for 2 layers, width 32, rank 4, and 2 x 16 wide grouped features."""
    torch.manual_seed(5)
    dot = ".default" if default else ""
    state = {"llama_proj.weight": torch.randn(32, 32), "llama_proj.bias": torch.randn(32)}
    for layer in range(2):
        for name in ("q_proj", "v_proj"):
            prefix = f"llama_model.base_model.model.model.layers.{layer}.self_attn.{name}"
            state[f"{prefix}.lora_A{dot}.weight"] = torch.randn(4, 32)
            state[f"{prefix}.lora_B{dot}.weight"] = torch.randn(32, 4)
    return state


@pytest.mark.parametrize("default", [True, False])
def test_round_trip_on_a_small_model(tmp_path: Path, default: bool) -> None:
    recipe = model_recipe(tmp_path)
    published = checkpoint(default)
    torch.save({"model": published}, tmp_path / "old.pth")
    folder = import_adapter(tmp_path / "old.pth", recipe, tmp_path / "adapter")
    base, _ = build_model(recipe)
    model = load_adapter(base, folder)
    state = adapter_state(model)
    layer = "base_model.model.language_model.model.layers.1.self_attn.v_proj.lora_B.weight"
    dot = ".default" if default else ""
    old = f"llama_model.base_model.model.model.layers.1.self_attn.v_proj.lora_B{dot}.weight"
    assert torch.equal(state[layer], published[old])
    assert torch.equal(model.get_base_model().projector.weight, published["llama_proj.weight"])
    written = torch.load(export_adapter(folder, tmp_path / "new.pth"), weights_only=True)["model"]
    expected = checkpoint(True) | checkpoint(False)  # both names of LoRA
    assert written.keys() == expected.keys()
    assert all(torch.equal(written[name], tensor) for name, tensor in expected.items())


def test_buffers_of_the_trainer_are_compared_with_the_recipes_language_model(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    # heads of 32 / 4 = 8, base 10,000: 10,000^(-2 i / 8)
    right = torch.tensor([1.0, 0.1, 0.01, 0.001])
    name = "llama_model.base_model.model.model.layers.{}.self_attn.rotary_emb.inv_freq"
    buffers = {name.format(layer): right for layer in range(2)}
    torch.save({"model": checkpoint(True) | buffers, "epoch": 49}, tmp_path / "theirs.pth")
    folder = import_adapter(tmp_path / "theirs.pth", recipe, tmp_path / "adapter")
    start = recipe.model_copy(update={"start": str(tmp_path / "theirs.pth")})
    base, _ = build_model(recipe)
    made = parse({"name": "a", "model": start.model_dump(exclude_none=True)})
    begun = adapter_state(start_adapter(base, made.model, 0))
    assert all(torch.equal(begun[key], tensor) for key, tensor in read_adapter(folder)[1].items())
    torch.save(checkpoint(True) | {name.format(1): right[:2]}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"layers\.1.*inv_freq: \(2,\) numbers instead of \(4,\)"):
        import_adapter(tmp_path / "other.pth", recipe, tmp_path / "other")


def test_every_missing_and_unexpected_tensor_is_named(tmp_path: Path) -> None:
    state = checkpoint(True)
    lost = "llama_model.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight"
    state["llama_model.surprise"] = state.pop(lost)
    state["llama_proj.weight"] = torch.zeros(32, 64)
    torch.save({"model": state}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError) as caught:
        import_adapter(tmp_path / "bad.pth", model_recipe(tmp_path), tmp_path / "adapter")
    for part in (lost, "llama_model.surprise", "(32, 64) instead of (32, 32)"):
        assert part in str(caught.value)
    assert not (tmp_path / "adapter").exists()
