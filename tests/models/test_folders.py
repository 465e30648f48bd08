"""Folders of language models: parts of larger models, odd tokenizers, and damage of every kind."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny import byte_tokenizer, language_folder, model_recipe, vision_folder

from pefomed.errors import DataError, PefomedError, RecipeError, WeightsError
from pefomed.models.adapter import add_adapter
from pefomed.models.build import build_model
from pefomed.models.describe import meta_model
from pefomed.packing.batch import tokenise
from pefomed.recipe import Lora, Prompt
from pefomed.schema import Sample

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
WHOLE: dict[str, Callable[[], Any]] = {
    "LLaVA": lambda: hf.LlavaForConditionalGeneration(
        hf.LlavaConfig(
            text_config=hf.LlamaConfig(**SIZES),
            vision_config=hf.CLIPVisionConfig(**VISION),
            image_token_id=299,
        )
    ),
    "Gemma 3": lambda: hf.Gemma3ForConditionalGeneration(
        hf.Gemma3Config(
            text_config=hf.Gemma3TextConfig(**SIZES, head_dim=8).to_dict(),
            vision_config=hf.SiglipVisionConfig(**VISION).to_dict(),
            mm_tokens_per_image=4,
        )
    ),
    "PaliGemma": lambda: hf.PaliGemmaForConditionalGeneration(
        hf.PaliGemmaConfig(
            text_config=hf.GemmaConfig(**SIZES, head_dim=8).to_dict(),
            vision_config=hf.SiglipVisionConfig(**VISION, vision_use_head=False).to_dict(),
            projection_dim=32,
        )
    ),
}


def language(model: Any, root: Path) -> str:
    folder = root / "another"
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("family", WHOLE)
def test_of_a_vision_language_model_its_text_part_is_taken(family: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = WHOLE[family]().eval()
    recipe = model_recipe(tmp_path, language_model=language(whole, tmp_path))
    model, _ = build_model(recipe)
    ids = torch.tensor([[1, 5, 6, 7, 8]])
    options: dict[str, Any] = {"token_type_ids": torch.zeros_like(ids)} if family != "LLaVA" else {}
    with torch.no_grad():
        expected = whole(input_ids=ids, attention_mask=torch.ones_like(ids), **options).logits
        if family == "PaliGemma":  # which lets a prefix see itself whole: its text part alone is causal
            expected = torch.cat(
                [
                    whole.lm_head(
                        whole.model.language_model(
                            inputs_embeds=whole.get_input_embeddings()(ids), use_cache=False
                        ).last_hidden_state
                    )
                ]
            )
        found = model(input_ids=ids).logits
    assert torch.allclose(found, expected, atol=1e-5)
    assert meta_model(recipe).config.text_config.hidden_size == 32


def test_a_whole_model_whose_text_part_cannot_stand_alone_says_so(tmp_path: Path) -> None:
    config = hf.Qwen2VLConfig(text_config=hf.Qwen2VLTextConfig(**SIZES).to_dict(), vision_config={"depth": 1})
    folder = tmp_path / "qwen"
    config.save_pretrained(folder)
    with pytest.raises(WeightsError, match=r"no causal language model for .*_vl_text' of a whole qwen2_vl"):
        build_model(model_recipe(tmp_path, language_model=str(folder)))


def test_lora_on_the_transposed_layers_of_gpt2(tmp_path: Path) -> None:
    config = hf.GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4)
    recipe = model_recipe(tmp_path, language_model=language(hf.GPT2LMHeadModel(config), tmp_path))
    base, _ = build_model(recipe)
    with pytest.raises(RecipeError, match=r"'q_proj' matches no linear layer(?s:.*)c_attn"):
        add_adapter(base, recipe.lora)
    ids = torch.tensor([[4, 5, 6]])
    with torch.no_grad():
        before = base(input_ids=ids).logits
        model = add_adapter(base, Lora(r=3, alpha=6, dropout=0.0, targets=("c_attn", "c_proj")))
        assert torch.equal(model(input_ids=ids).logits, before)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter)
        changed = model(input_ids=ids).logits
        assert not torch.allclose(changed, before, atol=1e-3)
        layer = model.get_base_model().language_model.transformer.h[0].attn.c_attn
        # y = x (W + (B A)^T alpha / r) + b, with W as GPT-2 has it: (in, out)
        x = torch.randn(1, 32)
        update = (layer.lora_B["default"].weight @ layer.lora_A["default"].weight).T * 2
        expected = x @ (layer.base_layer.weight + update) + layer.base_layer.bias
        assert torch.allclose(layer(x), expected, atol=1e-5)
        assert torch.allclose(model.merge_and_unload()(input_ids=ids).logits, changed, atol=1e-4)


def changed_json(folder: Path, name: str, **values: Any) -> None:
    file = folder / name
    fields = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in fields.items() if value is not None}))


def test_a_tokenizer_without_an_end_token_takes_the_models(tmp_path: Path) -> None:
    folder = Path(language_folder(tmp_path / "own"))
    changed_json(folder, "tokenizer_config.json", eos_token=None)
    _, processor = build_model(model_recipe(tmp_path, language_model=copied(folder, tmp_path)))
    assert processor.encode_answer("a")[-1] == byte_tokenizer().eos_token_id
    other = Path(copied(folder, tmp_path))
    changed_json(other, "config.json", eos_token_id=9999)
    (other / "generation_config.json").unlink(missing_ok=True)
    with pytest.raises(WeightsError, match=r"no end token(?s:.*)tokenizer_config\.json"):
        build_model(model_recipe(tmp_path, language_model=str(other)))


def test_more_layers_than_the_configuration_says_are_an_error(whole: Path, tmp_path: Path) -> None:
    folder = Path(copied(whole / "language-4", tmp_path))
    changed_json(folder, "config.json", num_hidden_layers=1)
    with pytest.raises(WeightsError, match=r"more layers than their conf(?s:.*)2 layers instead of 1"):
        build_model(model_recipe(tmp_path, language_model=str(folder)))


def copied(folder: Path, root: Path) -> str:
    target = root / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    return str(target)


def test_more_tokens_than_embeddings_are_an_error(tmp_path: Path) -> None:
    folder = Path(copied(language_folder(tmp_path), tmp_path))
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["<one>", "<two>"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(WeightsError, match=r"no embeddings for(?s:.*)2 beyond its 259, e\.g\. '<one>'"):
        build_model(model_recipe(tmp_path, language_model=str(folder)))


def test_texts_beyond_the_positions_of_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = Sample(id="long", images=("x.png",), task="vqa", question="why " * 30, reference="so")
    learned = hf.GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4, n_positions=128)
    folder = language(hf.GPT2LMHeadModel(learned), tmp_path)
    _, processor = build_model(model_recipe(tmp_path, language_model=folder))
    with pytest.raises(DataError, match=r"sample long is longer than the 128 positions"):
        tokenise([sample], Prompt(), processor)
    short = sample.model_copy(update={"question": "?"})
    [one] = tokenise([short], Prompt(), processor, answers=False)
    room = 128 - len(one.prompt) + 1  # the last token generated takes no position
    tokenise([short], Prompt(), processor, answers=False, room=room)
    with pytest.raises(DataError, match=r"found: 129 positions(?s:.*)max_new_tokens"):
        tokenise([short], Prompt(), processor, answers=False, room=room + 1)
    rotary = hf.LlamaConfig(**SIZES, max_position_embeddings=64)
    _, processor = build_model(
        model_recipe(tmp_path, language_model=language(hf.LlamaForCausalLM(rotary), tmp_path / "rotary"))
    )
    tokenise([sample, sample], Prompt(), processor)
    assert capsys.readouterr().err.count("longer than the 64 positions") == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    vision_folder(root)
    language_folder(root)
    return root


NUMBERS = st.integers(0, 2**16)


@hypothesis.settings(max_examples=20)
@given(st.sampled_from(["vision", "language-4"]), NUMBERS, NUMBERS, st.integers(0, 255))
def test_whatever_is_in_a_folder_the_error_is_ours(
    whole: Path, part: str, file: int, place: int, value: int
) -> None:
    root = whole.parent / "changed"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(whole, root)
    files = sorted((root / part).iterdir())
    content = bytearray(files[file % len(files)].read_bytes())
    content[place % min(len(content), 3000)] = value
    files[file % len(files)].write_bytes(content)
    parts = {"vision_encoder": str(root / "vision"), "language_model": str(root / "language-4")}
    with contextlib.suppress(PefomedError):
        build_model(model_recipe(whole.parent / "unused", **parts))


def damage(content: bytes, kind: str) -> bytes | None:
    match kind:
        case "gone":
            return None
        case "empty":
            return b""
        case "cut":
            return content[: len(content) // 2]
        case "zeros":
            return bytes(len(content))
        case "another file":
            return b"[1, 2]"
        case _:
            return bytes([content[0] ^ 0x5F]) + content[1:]


FILES = {
    "vision": ["config.json", "preprocessor_config.json", "model.safetensors"],
    "language-4": ["config.json", "model.safetensors", "tokenizer.json"],
}


@pytest.mark.parametrize("kind", ["gone", "empty", "cut", "zeros", "another file", "a byte flipped"])
@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in FILES.items() for name in names])
def test_damage_is_one_error_of_ours(part: str, name: str, kind: str, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "w")
    file = tmp_path / "w" / part / name
    content = damage(file.read_bytes(), kind)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    parts = {
        "vision_encoder": str(tmp_path / "w" / "vision"),
        "language_model": str(tmp_path / "w" / "language-4"),
    }
    recipe = model_recipe(tmp_path / "unused", **parts)
    with pytest.raises(PefomedError) as caught:
        build_model(recipe)
    assert part in str(caught.value)
    assert "what to do" in str(caught.value)
