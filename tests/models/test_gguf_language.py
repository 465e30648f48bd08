"""A GGUF file becomes the model and tokenizer it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from tests.models.tiny_gguf import WIDTH, llama, write
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from pefomed.errors import WeightsError
from pefomed.weights.gguf_language import LanguageFile


@pytest.mark.parametrize("tied", [True, False])
def test_an_unquantised_file_gives_back_the_model(tmp_path: Path, tied: bool) -> None:
    model = llama(tied)
    read = LanguageFile(write(tmp_path / "tiny.gguf", model)).model()
    assert read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(read.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    ids = torch.arange(12)[None]
    with torch.no_grad():
        torch.testing.assert_close(read(ids).logits, model(ids).logits)
    assert read.config.rms_norm_eps == 1e-5
    assert (read.get_output_embeddings().weight is read.get_input_embeddings().weight) == tied


@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0"])
def test_quantised_files_are_multiplied_out(tmp_path: Path, kind: str) -> None:
    model, quantised = llama(True), gguf.GGMLQuantizationType[kind]
    read = LanguageFile(write(tmp_path / "tiny.gguf", model, quantised)).model()
    # Numbers are quantised 32 of a row together, so the order of rows in the file changes none.
    for name, tensor in model.state_dict().items():
        array = tensor.numpy()
        there = gguf.dequantize(gguf.quantize(array, quantised), quantised) if array.ndim == 2 else array
        assert np.array_equal(read.state_dict()[name].numpy(), there)
    assert not hasattr(read.config, "quantization_config")


def test_saved_and_loaded_it_is_an_ordinary_folder(tmp_path: Path) -> None:
    file = LanguageFile(write(tmp_path / "tiny.gguf", llama(True)))
    model = file.model()
    model.save_pretrained(tmp_path / "folder")
    file.tokenizer().save_pretrained(tmp_path / "folder")
    loaded, report = AutoModelForCausalLM.from_pretrained(tmp_path / "folder", output_loading_info=True)
    assert not any(report.values())
    assert type(loaded) is LlamaForCausalLM
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "folder")
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|im_end|>",
    )
    assert tokenizer.model_max_length == 128


def test_the_tokenizer_splits_as_smollm_does(tmp_path: Path) -> None:
    tokenizer = LanguageFile(write(tmp_path / "tiny.gguf", llama(True))).tokenizer()

    def pieces(text: str) -> list[str]:
        return [tokenizer.decode([token]) for token in tokenizer(text).input_ids]

    # no BOS of its own; the two merges ng and lu, then lung
    assert pieces("lungs") == ["lung", "s"]
    # digits are split off first, so both blanks before them stay together (GPT-2's splitting gives " ", " ")
    assert pieces("ng  12") == ["ng", "  ", "1", "2"]
    assert pieces("<|im_start|>ng<|im_end|>") == ["<|im_start|>", "ng", "<|im_end|>"]
    for text in ("Größe 右肺\n", "  a  b ", "3.14 mm"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_a_file_without_template_gets_one(tmp_path: Path) -> None:
    tokenizer = LanguageFile(write(tmp_path / "tiny.gguf", llama(True))).tokenizer()
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tensors": {"blk.1.ffn_up.weight": None}}, r"missing model\.layers\.1\.mlp\.up_proj\.weight"),
        ({"extra": {"rope_freqs.weight": np.ones(4, np.float32)}}, r"unexpected rope_freqs\.weight"),
        (
            {"tensors": {"blk.0.ffn_up.weight": np.ones((5, WIDTH), np.float32)}},
            r"layers\.0\.mlp\.up_proj\.weight \(5, 64\) instead of \(96, 64\)",
        ),
    ],
)
def test_every_wrong_tensor_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    file = LanguageFile(write(tmp_path / "odd.gguf", llama(True), **changes))
    with pytest.raises(WeightsError, match=says):
        file.model()


def test_other_files_give_one_error(tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    for content in (b"", b"hello", b"GGUF\x03\x00\x00\x00"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"other\.gguf"):
            LanguageFile(path)


@pytest.mark.parametrize(
    ("changes", "says"), [({"split": "llama-bpe"}, "gpt2, llama-bpe"), ({"bos": False}, "bos")]
)
def test_an_unknown_tokenizer_gives_one_error(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    file = LanguageFile(write(tmp_path / "odd.gguf", llama(True), **changes))
    with pytest.raises(WeightsError, match=says):
        file.tokenizer()
