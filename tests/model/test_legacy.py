"""PeFoMed / MiniGPT-v2 `.pth`: names as published, strict both ways, never any code run."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import Dinov2Config, LlamaConfig

from pefomed.errors import WeightsError
from pefomed.model.adapter import adapter_state, add_adapter, load_state
from pefomed.model.config import PefomedConfig
from pefomed.model.legacy import export_legacy, import_legacy, legacy_name
from pefomed.model.modeling import PefomedForConditionalGeneration
from pefomed.recipe import Lora

LAYERS = 2
# The names of the published files, for two layers.
PUBLISHED = [
    "llama_proj.weight",
    "llama_proj.bias",
    *(
        f"llama_model.base_model.model.model.layers.{layer}.self_attn.{name}_proj.lora_{half}.default.weight"
        for layer in range(LAYERS)
        for name in "qv"
        for half in "AB"
    ),
]


def tiny_model() -> PefomedForConditionalGeneration:
    vision = Dinov2Config(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, patch_size=14, image_size=56
    )
    text = LlamaConfig(
        vocab_size=11,
        hidden_size=12,
        intermediate_size=16,
        num_hidden_layers=LAYERS,
        num_attention_heads=3,
        num_key_value_heads=1,
    )
    return PefomedForConditionalGeneration(PefomedConfig(vision, text, image_size=56, group=4))


def tiny_adapter(**lora: Any) -> Any:
    return add_adapter(tiny_model(), Lora(**{"r": 2, "dropout": 0.0} | lora))


class MiniGpt(nn.Module):
    """The published model's skeleton: a projector and a PEFT-wrapped LLaMA, hence the published names."""

    def __init__(self, language_model: Any, inputs: int):
        super().__init__()
        self.llama_proj = nn.Linear(inputs, language_model.config.hidden_size)
        lora = LoraConfig(
            r=2,
            lora_alpha=16,
            target_modules=["q_proj", "v_proj"],
            init_lora_weights=False,
            task_type="CAUSAL_LM",
        )
        self.llama_model = get_peft_model(language_model, lora)

    def forward(self, grouped: torch.Tensor) -> torch.Tensor:
        return self.llama_model(inputs_embeds=self.llama_proj(grouped)).logits

    def trained(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach() for name, tensor in self.named_parameters() if tensor.requires_grad}


def published_file(path: Path, seed: int = 0, spelling: str = ".default", **extra: Any) -> dict[str, Any]:
    """Write a `.pth` as the authors' trainer does: half precision, beside optimiser and configuration."""
    generator = torch.Generator().manual_seed(seed)
    ours = adapter_state(tiny_adapter())
    shapes = {legacy_name(name): tensor.shape for name, tensor in ours.items()}
    tensors = {
        name.replace(".default", spelling): torch.randn(shapes[name], generator=generator).half()
        for name in PUBLISHED
    }
    torch.save({"model": tensors | extra, "optimizer": {"state": {}}, "config": {"run": 1}, "epoch": 3}, path)
    return tensors


@pytest.mark.parametrize("spelling", [".default", ""])
def test_published_names_load_into_a_model(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "checkpoint.pth"
    written = published_file(path, spelling=spelling)
    model = tiny_adapter()
    load_state(model, import_legacy(path, adapter_state(model)))
    layer = model.base_model.model.language_model.model.layers[1].self_attn.v_proj
    name = f"llama_model.base_model.model.model.layers.1.self_attn.v_proj.lora_B{spelling}.weight"
    assert torch.equal(layer.lora_B["default"].weight, written[name].float())
    projector = model.base_model.model.projector.modules_to_save["default"]
    assert torch.equal(projector.bias, written["llama_proj.bias"].float())


def test_the_published_model_and_ours_compute_the_same(tmp_path: Path) -> None:
    bare = tiny_model()
    published = MiniGpt(copy.deepcopy(bare.language_model), inputs=8 * 4).eval()
    assert set(published.trained()) == set(PUBLISHED)
    torch.save({"model": published.trained()}, tmp_path / "published.pth")

    ours: Any = add_adapter(bare, Lora(r=2, alpha=16)).eval()
    load_state(ours, import_legacy(tmp_path / "published.pth", adapter_state(ours)))
    features = torch.randn(1, 16, 8)  # 16 patches of width 8, four of a row concatenated
    with torch.no_grad():
        theirs = published(features.reshape(1, 4, 32))
        logits = ours(inputs_embeds=ours.base_model.model.project(features)).logits
    torch.testing.assert_close(logits, theirs, rtol=1e-6, atol=1e-6)

    export_legacy(adapter_state(ours), tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)["model"]
    published.load_state_dict(back, strict=False)
    assert set(back) == set(PUBLISHED)
    assert all(torch.equal(back[name], tensor) for name, tensor in published.trained().items())


@pytest.mark.parametrize("default", [True, False])
def test_export_then_import_gives_the_same_tensors(tmp_path: Path, default: bool) -> None:
    model = tiny_adapter()
    state = {name: torch.randn_like(tensor) for name, tensor in adapter_state(model).items()}
    path = tmp_path / "deep" / "model.pth"
    export_legacy(state, path, default=default)
    names = set(torch.load(path, weights_only=True)["model"])
    assert names == {name if default else name.replace(".default", "") for name in PUBLISHED}
    back = import_legacy(path, state)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)


def test_every_wrong_tensor_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    tensors = published_file(path)
    lost = PUBLISHED[3:7]
    kept = {name: tensor for name, tensor in tensors.items() if name not in lost}
    kept |= {"llama_proj.bias": torch.zeros(5), "visual_encoder.cls_token": torch.zeros(1)}
    torch.save({"model": kept}, path)
    with pytest.raises(WeightsError) as caught:
        import_legacy(path, adapter_state(tiny_adapter()))
    text = str(caught.value)
    assert all(name in text for name in lost)
    assert "4 missing" in text
    assert "1 unexpected: visual_encoder.cls_token" in text
    assert "1 wrong shape: llama_proj.bias (5,) instead of (12,)" in text


def test_other_lora_targets_are_missing_by_name(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    published_file(path)
    with pytest.raises(WeightsError, match=r"layers\.0\.self_attn\.k_proj\.lora_A"):
        import_legacy(path, adapter_state(tiny_adapter(targets=("q_proj", "k_proj", "v_proj"))))


def test_a_file_must_be_whole_even_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    tensors = published_file(path)
    assert len(import_legacy(path)) == len(PUBLISHED)
    del tensors["llama_proj.weight"], tensors[PUBLISHED[4]]
    torch.save({"model": tensors}, path)
    with pytest.raises(WeightsError) as caught:
        import_legacy(path)
    assert "2 missing" in str(caught.value)
    assert PUBLISHED[4] in str(caught.value)


def test_the_same_tensor_in_both_spellings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    twin = PUBLISHED[2].replace(".default", "")
    published_file(path, **{twin: torch.zeros(2, 12)})
    with pytest.raises(WeightsError, match="1 unexpected"):
        import_legacy(path)


def test_what_has_no_published_name_is_not_exported(tmp_path: Path) -> None:
    state = dict(adapter_state(tiny_adapter()))
    state["base_model.model.vision_encoder.layer.0.lora_A.weight"] = torch.zeros(1)
    with pytest.raises(WeightsError, match=r"vision_encoder\.layer\.0"):
        export_legacy(state, tmp_path / "model.pth")
    assert not list(tmp_path.iterdir())


class _Trap:
    """Unpickled without care, it writes a file."""

    def __init__(self, target: Path):
        self._target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._target,)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("torch_file", [True, False])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, torch_file: bool, protocol: int) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "it-ran"
    payload = {"model": {"llama_proj.weight": _Trap(proof)}}
    if torch_file:
        torch.save(payload, path, pickle_protocol=protocol)
    else:
        path.write_bytes(pickle.dumps(payload, protocol=protocol))
    with pytest.raises(WeightsError, match=r"evil\.pth.*nothing of it was run"):
        import_legacy(path)
    assert not proof.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [(["a"], "list"), ({"state_dict": {}}, "state_dict"), ({"model": {"a": 1}}, "a"), ({}, "an empty dict")],
)
def test_other_contents_are_named(tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=f"found: {says}"):
        import_legacy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no file .*nowhere\.pth"):
        import_legacy(tmp_path / "nowhere.pth")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999), noise=st.binary(max_size=40))
def test_damaged_files_give_one_error(tmp_path: Path, cut: float, noise: bytes) -> None:
    path = tmp_path / "cut.pth"
    torch.save({"model": {"llama_proj.weight": torch.zeros(3)}}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole))] + noise)
    with pytest.raises(WeightsError):
        import_legacy(path)
    path.write_bytes(noise)
    with pytest.raises(WeightsError):
        import_legacy(path)
