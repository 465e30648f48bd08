"""A language model inside a GGUF file, multiplied out into a plain transformers `LlamaForCausalLM`.

    Q4_1: w = d q + m,  q in 0..15, one d and m per 32 weights    (ggml-org/ggml, docs/gguf.md)

GGUF keeps the rows of the query and key matrices interleaved for its own rotary embedding; they are put back
into transformers' order of halves. Weights become float32: bfloat16 would round most of them once more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pefomed.errors import WeightsError

_WHOLE = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_PER_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL = 3  # token type of control tokens, which text cannot contain
_PRE_TOKENIZERS = {
    "gpt-2": (),
    "smollm": (pre_tokenizers.Digits(individual_digits=True),),  # each digit is a token of its own
}
_CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class LanguageFile:
    """An open GGUF file of the architecture `llama`.

    Raises:
        WeightsError: the file is not GGUF, or holds another architecture.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            self._reader = gguf.GGUFReader(path)
        except (ValueError, OSError, IndexError, KeyError) as error:
            raise WeightsError(
                f"{path} is not a GGUF file", found=str(error), remedy="fetch it again"
            ) from None
        architecture = self._field("general.architecture")
        if architecture != "llama":
            raise WeightsError(
                f"{path} holds another architecture than `llama`",
                found=str(architecture),
                remedy="give a LLaMA-like model",
            )

    def model(self) -> LlamaForCausalLM:
        """Return the model, float32, in eval mode.

        Raises:
            WeightsError: a tensor is missing, left over or of another shape; all of them are named.
        """
        tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        config = self._config(tied="output.weight" not in tensors)
        names = {name: _transformers_name(name) for name in tensors}
        model = LlamaForCausalLM(config)
        expected = model.state_dict()
        if config.tie_word_embeddings:
            del expected["lm_head.weight"]
        problems = [f"unexpected {name}" for name, new in names.items() if new not in expected]
        problems += [f"missing {new}" for new in expected.keys() - set(names.values())]
        state = {}
        for name, new in names.items():
            if new not in expected:
                continue
            state[new] = _dense(tensors[name], config)
            if state[new].shape != expected[new].shape:
                problems.append(f"{name} {tuple(state[new].shape)} instead of {tuple(expected[new].shape)}")
        if problems:
            raise WeightsError(
                f"{self._path} does not fit its own description",
                found="; ".join(sorted(problems)),
                remedy="give a file of a LLaMA-like model",
            )
        if config.tie_word_embeddings:
            state["lm_head.weight"] = state["model.embed_tokens.weight"]
        model.load_state_dict(state, strict=True)
        model.tie_weights()
        model.eval()  # type: ignore[no-untyped-call]
        return model

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Return the byte-level BPE tokenizer, with BOS, EOS, padding and a chat template.

        It adds no BOS of its own: the prompt's writer does.

        Raises:
            WeightsError: another kind of tokenizer, or one without BOS or EOS.
        """
        kind, split = self._field("tokenizer.ggml.model"), self._field("tokenizer.ggml.pre")
        if kind != "gpt2" or split not in _PRE_TOKENIZERS:
            raise WeightsError(
                f"the tokenizer of {self._path} is not known",
                found=f"{kind}, {split}",
                remedy=f"give a folder with tokenizer.json; known: gpt2 with {', '.join(_PRE_TOKENIZERS)}",
            )
        tokens = self._field("tokenizer.ggml.tokens")
        merges = [tuple(merge.split(" ", 1)) for merge in self._field("tokenizer.ggml.merges")]
        tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*_PRE_TOKENIZERS[split], byte_level])
        tokenizer.decoder = decoders.ByteLevel()
        types = self._field("tokenizer.ggml.token_type")
        control = [token for token, type_ in zip(tokens, types, strict=True) if type_ == _CONTROL]
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
        special = {}
        for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
            number = self._field(f"tokenizer.ggml.{key}_token_id", required=role in ("bos", "eos"))
            if number is not None:
                special[f"{role}_token"] = tokens[number]
        special.setdefault("pad_token", special["eos_token"])
        return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=tokenizer,
            chat_template=self._field("tokenizer.chat_template", required=False) or _CHATML,
            model_max_length=self._field("llama.context_length"),
            clean_up_tokenization_spaces=False,
            **special,
        )

    def _config(self, tied: bool) -> LlamaConfig:
        heads, width = self._field("llama.attention.head_count"), self._field("llama.embedding_length")
        return LlamaConfig(
            vocab_size=len(self._field("tokenizer.ggml.tokens")),
            hidden_size=width,
            intermediate_size=self._field("llama.feed_forward_length"),
            num_hidden_layers=self._field("llama.block_count"),
            num_attention_heads=heads,
            num_key_value_heads=self._field("llama.attention.head_count_kv"),
            head_dim=width // heads,
            max_position_embeddings=self._field("llama.context_length"),
            # stored as float32: 1e-05 comes back as 9.99999974e-06
            rms_norm_eps=float(f"{self._field('llama.attention.layer_norm_rms_epsilon'):.6g}"),
            rope_parameters={"rope_type": "default", "rope_theta": self._field("llama.rope.freq_base")},
            tie_word_embeddings=tied,
            bos_token_id=self._field("tokenizer.ggml.bos_token_id"),
            eos_token_id=self._field("tokenizer.ggml.eos_token_id"),
            pad_token_id=self._field("tokenizer.ggml.padding_token_id", required=False),
        )

    def _field(self, name: str, required: bool = True) -> Any:
        field = self._reader.fields.get(name)
        if field is not None:
            return field.contents()
        if required:
            raise WeightsError(
                f"{self._path} says nothing of {name}", remedy="give the file of an instruct model"
            )
        return None


def _transformers_name(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    block, _, rest = name.removeprefix("blk.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"model.layers.{block}.{_PER_LAYER.get(part, part)}.{kind}"


def _dense(tensor: Any, config: LlamaConfig) -> torch.Tensor:
    array = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)  # (out, in)
    heads: dict[str, Any] = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    part = tensor.name.split(".")[-2]
    if part in heads:
        rows, columns = array.shape
        pairs = array.reshape(heads[part], rows // heads[part] // 2, 2, columns)
        array = pairs.swapaxes(1, 2).reshape(rows, columns)
    return torch.from_numpy(np.ascontiguousarray(array))
