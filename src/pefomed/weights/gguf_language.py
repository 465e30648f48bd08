"""A language model inside a GGUF file, multiplied out into a plain transformers `LlamaForCausalLM`.

The weights are read by transformers (`gguf_file=`), in float32: bfloat16 would round most of them once more.
The tokenizer is made here, because transformers 5 leaves out how the file splits text before its merges
(SmolLM: each digit alone), the longest text, and padding; and what transformers would pass over, weights that
are missing or left over, is an error.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
from pathlib import Path
from typing import Any, cast

import gguf
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, GgufConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pefomed.errors import WeightsError
from pefomed.weights.folders import first_line

_TENSORS = re.compile(
    r"(token_embd|output_norm|output|blk\.\d+\.(attn_(norm|q|k|v|output)|ffn_(norm|gate|up|down)))\.weight"
)
_ONE = threading.Lock()  # transformers builds a model under settings of the whole process
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
        found = {str(tensor.name) for tensor in self._reader.tensors}
        problems = [f"unexpected {name}" for name in found if not _TENSORS.fullmatch(name)]
        try:
            with _ONE, contextlib.redirect_stderr(io.StringIO()):  # its progress line, beside ours
                loaded: Any = AutoModelForCausalLM.from_pretrained(
                    self._path.parent,
                    gguf_file=self._path.name,
                    quantization_config=GgufConfig(dequantize=True),
                    dtype=torch.float32,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,
                )
        except (ValueError, OSError, RuntimeError, LookupError) as error:
            raise WeightsError(
                f"{self._path} cannot be read", found=first_line(error), remedy="fetch it again"
            ) from None
        model, read = loaded
        problems += [f"missing {name}" for name in read["missing_keys"]]
        problems += [f"unexpected {name}" for name in read["unexpected_keys"]]
        problems += [
            f"{name} {tuple(there)} instead of {tuple(wanted)}"
            for name, there, wanted in read["mismatched_keys"]
        ]
        if problems:
            raise WeightsError(
                f"{self._path} does not fit its own description",
                found="; ".join(sorted(problems)),
                remedy="give a file of a LLaMA-like model",
            )
        # Stored as float32: 1e-05 comes back as 9.99999974e-06.
        model.config.rms_norm_eps = float(f"{model.config.rms_norm_eps:.6g}")
        # A folder's hash is over what decides a number: these do not.
        for passing in ("_model_name_or_path", "unk_token_id"):
            if hasattr(model.config, passing):
                delattr(model.config, passing)
        return cast(LlamaForCausalLM, model.eval())

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

    def _field(self, name: str, required: bool = True) -> Any:
        field = self._reader.fields.get(name)
        if field is not None:
            return field.contents()
        if required:
            raise WeightsError(
                f"{self._path} says nothing of {name}", remedy="give the file of an instruct model"
            )
        return None
