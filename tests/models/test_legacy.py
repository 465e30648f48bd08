"""PeFoMed / MiniGPT-v2 `.pth`: names as published, strict both ways, never any code run."""

from __future__ import annotations

import copy
import pickle
import re
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
from pefomed.models.adapter import adapter_state, add_adapter, load_state
from pefomed.models.config import PefomedConfig
from pefomed.models.legacy import export_legacy, import_legacy, legacy_name
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.recipe import Lora
from pefomed.weights.constants import rotary_frequencies

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
        self.visual_encoder = nn.Linear(3, 5).requires_grad_(False)
        self.ln_vision = nn.LayerNorm(5).requires_grad_(False)
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

    def keep_buffers(self) -> None:
        """Have the persistent buffers of transformers 4.30: `inv_freq` of base 10,000 in every layer."""
        layers = self.llama_model.base_model.model.model.layers
        for layer in layers:
            layer.self_attn.rotary_emb = nn.Module()
            # heads of width 4: 10,000^0 and 10,000^(-2/4)
            layer.self_attn.rotary_emb.register_buffer("inv_freq", torch.tensor([1.0, 0.01]))


def saved_by_their_rule(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return what the authors' saver keeps: all of the state but what is a frozen parameter by its name."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


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
    assert set(back) >= set(PUBLISHED)
    assert all(torch.equal(back[name], tensor) for name, tensor in published.trained().items())


def test_a_checkpoint_of_the_authors_trainer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tiny_model()
    published = MiniGpt(copy.deepcopy(bare.language_model), inputs=8 * 4)
    published.keep_buffers()
    optimizer = torch.optim.AdamW(published.parameters(), lr=1e-5)
    state = saved_by_their_rule(published)
    assert len(state) == len(PUBLISHED) + LAYERS
    scaler = torch.amp.GradScaler("cpu").state_dict()
    config = {"run": {"init_lr": 1e-5, "amp": True}, "model": {"lora_r": 2}}
    whole = {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "config": config,
        "scaler": scaler,
        "epoch": 3,
    }
    torch.save(whole, tmp_path / "checkpoint_best.pth")
    ours = add_adapter(bare, Lora(r=2, alpha=16))
    wanted = adapter_state(ours)
    frequencies = rotary_frequencies(bare.language_model)
    back = import_legacy(tmp_path / "checkpoint_best.pth", wanted, frequencies)
    load_state(ours, back)
    assert all(torch.equal(back[ours_of(name)], state[name]) for name in PUBLISHED)
    assert "constants left out, the model computes its own: 2 inv_freq" in capsys.readouterr().err


WRAPPED = {
    "alone": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 2},
    "DistributedDataParallel": lambda state: {"model": {f"module.{name}": t for name, t in state.items()}},
    "compiled": lambda state: {f"_orig_mod.module.{name}": t for name, t in state.items()},
    "half": lambda state: {"model": {name: t.half() for name, t in state.items()}},
    "bfloat16": lambda state: {"model": {name: t.bfloat16() for name, t in state.items()}},
    "parameters": lambda state: {"model": {name: nn.Parameter(t) for name, t in state.items()}},
    "beside": lambda state: state | {"optimizer": {"state": {}}, "epoch": 1, "config": {}, "scaler": None},
}


@pytest.mark.parametrize("form", WRAPPED)
def test_the_same_tensors_however_they_are_wrapped(tmp_path: Path, form: str) -> None:
    published = MiniGpt(copy.deepcopy(tiny_model().language_model), inputs=8 * 4)
    published.keep_buffers()
    state = saved_by_their_rule(published)
    torch.save(WRAPPED[form](state), tmp_path / "a.pth")
    back = import_legacy(tmp_path / "a.pth", adapter_state(tiny_adapter()))
    kind = {"half": torch.half, "bfloat16": torch.bfloat16}.get(form, torch.float32)
    assert all(torch.equal(back[ours_of(name)], state[name].to(kind).float()) for name in PUBLISHED)


def ours_of(name: str) -> str:
    """Return our name of a published tensor, by the two rules of the documentation."""
    if name.startswith("llama_proj"):
        return name.replace("llama_proj", "base_model.model.projector")
    inner = name.removeprefix("llama_model.base_model.model.").replace(".default", "")
    return f"base_model.model.language_model.{inner}"


INSIDE = "llama_model.base_model.model.model.layers.0.self_attn."
# a window of 2 x 2 patches behind CLS, by hand: steps down and right of -1, 0, 1 count 3 a row from (-1, -1)
WINDOW = torch.tensor(
    [[11, 9, 9, 9, 9], [10, 4, 3, 1, 0], [10, 5, 4, 2, 1], [10, 7, 6, 4, 3], [10, 8, 7, 5, 4]]
)
CONSTANTS = {
    INSIDE + "rotary_emb.inv_freq": (torch.tensor([1.0, 0.01]), torch.tensor([1.0, 0.001])),
    INSIDE + "rotary_emb.cos_cached": (
        torch.cos(torch.tensor([[0.0, 0, 0, 0], [1, 0.01, 1, 0.01]]))[None, None],
        torch.cos(torch.tensor([[0.0, 0, 0, 0], [1, 0.5, 1, 0.5]]))[None, None],
    ),
    INSIDE + "bias": (
        torch.tensor([[[[1, 0], [1, 1]]]], dtype=torch.uint8),
        torch.ones(1, 1, 2, 2, dtype=torch.bool),
    ),
    INSIDE + "masked_bias": (torch.tensor(-1e9), torch.tensor(0.5)),
    "Qformer.bert.embeddings.position_ids": (torch.arange(4)[None], torch.arange(1, 5)[None]),
    "Qformer.bert.embeddings.token_type_ids": (torch.zeros(1, 4).long(), torch.ones(1, 4).long()),
    "visual_encoder.rel_pos_bias.relative_position_index": (WINDOW, WINDOW.T),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_is_left_out_and_another_models_is_refused(tmp_path: Path, name: str) -> None:
    right, wrong = CONSTANTS[name]
    published_file(tmp_path / "right.pth", **{name: right})
    assert len(import_legacy(tmp_path / "right.pth", adapter_state(tiny_adapter()))) == len(PUBLISHED)
    published_file(tmp_path / "wrong.pth", **{name: wrong})
    with pytest.raises(WeightsError, match=rf"1 of another model: {re.escape(name)}: "):
        import_legacy(tmp_path / "wrong.pth", adapter_state(tiny_adapter()))


def test_the_frequencies_are_those_of_the_recipes_language_model(tmp_path: Path) -> None:
    name = INSIDE + "rotary_emb.inv_freq"
    published_file(tmp_path / "a.pth", **{name: torch.tensor([1.0, 1e-3])})  # base 1,000,000, width 4
    assert import_legacy(tmp_path / "a.pth", None, torch.tensor([1.0, 1e-3]))
    with pytest.raises(WeightsError, match="they are not those of the language model"):
        import_legacy(tmp_path / "a.pth", None, torch.tensor([1.0, 1e-2]))
    with torch.device("meta"):
        shapes = tiny_model()
    assert torch.equal(rotary_frequencies(shapes.language_model), torch.tensor([1.0, 0.01]))


class PeftLinear02(nn.Linear):
    """A layer as PEFT 0.2 adapts it (its tuners/lora.py): the halves are submodules without adapter name."""

    def __init__(self, linear: nn.Linear, rank: int):
        super().__init__(linear.in_features, linear.out_features, bias=False)
        self.weight.requires_grad_(False)
        self.lora_A = nn.Linear(linear.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, linear.out_features, bias=False)


@pytest.mark.parametrize("version", ["0.2", "later"])
def test_an_exported_file_fits_every_version_of_peft(tmp_path: Path, version: str) -> None:
    state = {name: torch.randn_like(tensor) for name, tensor in adapter_state(tiny_adapter()).items()}
    path = tmp_path / "deep" / "model.pth"
    export_legacy(state, path)
    # Both names of a tensor are in the file, its numbers once.
    once = sum(tensor.nbytes for tensor in state.values())
    assert path.stat().st_size < once + 600 * (2 * len(state) + 4)
    published = MiniGpt(copy.deepcopy(tiny_model().language_model), inputs=8 * 4)
    if version == "0.2":
        for layer in published.llama_model.base_model.model.model.layers:
            for name in ("q_proj", "v_proj"):
                old = getattr(layer.self_attn, name).base_layer
                setattr(layer.self_attn, name, PeftLinear02(old, 2))
        assert not any(".default" in name for name in published.trained())
    before = published.trained()
    report = published.load_state_dict(torch.load(path, weights_only=True)["model"], strict=False)
    assert not set(before) & set(report.missing_keys)
    assert {
        ours_of(name): True for name in before if torch.equal(before[name], state[ours_of(name)])
    }.keys() == state.keys()


def test_export_then_import_gives_the_same_tensors(tmp_path: Path) -> None:
    model = tiny_adapter()
    state = {name: torch.randn_like(tensor) for name, tensor in adapter_state(model).items()}
    path = tmp_path / "deep" / "model.pth"
    export_legacy(state, path)
    names = set(torch.load(path, weights_only=True)["model"])
    assert names == {*PUBLISHED, *(name.replace(".default", "") for name in PUBLISHED)}
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


def test_two_tensors_under_the_two_names_of_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    twin = PUBLISHED[2].replace(".default", "")
    published_file(path, **{twin: torch.zeros(2, 12)})
    with pytest.raises(WeightsError, match=r"1 unexpected: .*other numbers than under its other name"):
        import_legacy(path)
    state = published_file(path)
    torch.save({"model": state | {f"module.{PUBLISHED[2]}": torch.zeros(2, 12)}}, path)
    with pytest.raises(WeightsError, match="holds tensors twice"):
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


def test_a_changed_number_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    published_file(path)
    whole = path.read_bytes()
    place = whole.index(b"PK\x03\x04", whole.index(b"/data/0")) - 70  # in the numbers of the first tensor
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(WeightsError, match=r"is damaged\n.*data/0 is not as it was written"):
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
