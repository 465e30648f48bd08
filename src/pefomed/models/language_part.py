"""The language model of a folder and its tokenizer; of a vision-language model's folder, its text part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from pefomed.errors import WeightsError
from pefomed.weights.folders import configuration, first_line, load, readable
from pefomed.weights.sentencepiece_file import read_llama_tokenizer

REMEDY = "name a causal language model of transformers (docs/families.md)"


def language_config(folder: Path) -> Any:
    """Return the configuration of the folder's language model, that of the text part where it holds more.

    Raises:
        WeightsError: the folder holds no causal language model that transformers can build alone.
    """
    return text_part(configuration(folder))


def text_part(config: Any) -> Any:
    """Return `config`, or its text part's where it is of a model of several parts.

    Raises:
        WeightsError: transformers has no causal language model for it.
    """
    text = config.get_text_config(decoder=True)
    if type(text) not in AutoModelForCausalLM._model_mapping:
        whole = "" if text is config else f" of a whole {config.model_type}"
        raise WeightsError(
            f"transformers has no causal language model for the configuration {text.model_type!r}{whole}",
            remedy=REMEDY,
        )
    return text


def load_language(folder: Path, dtype: torch.dtype) -> Any:
    """Return the language model with its weights.

    Raises:
        WeightsError: they cannot be read, or are not all there.
    """
    whole = configuration(folder)
    config = text_part(whole)
    if whole.model_type == config.model_type:
        return load(AutoModelForCausalLM, folder, dtype, layers=int(config.num_hidden_layers))
    kind: Any = AutoModelForCausalLM._model_mapping[type(config)]
    with readable(folder, "weights"):
        names = _names(folder)
        with torch.device("meta"):
            wanted = list(kind(config).state_dict())
        mapping = _renamed(names, wanted, kind.base_model_prefix)
    if not any(name.endswith("lm_head.weight") for name in names):
        config.tie_word_embeddings = True
    return load(kind, folder, dtype, config=config, key_mapping=mapping)


def load_tokenizer(folder: Path, config: Any) -> Any:
    """Return the folder's tokenizer, checked against the language model's configuration.

    Raises:
        WeightsError: it is missing or empty, has no end token, or more tokens than the model has embeddings.
    """
    with readable(folder, "tokenizer"):
        tokenizer = _read_tokenizer(folder)
        known = set(tokenizer("Is the left lung clear? 1", add_special_tokens=False)["input_ids"])
    if not known - {tokenizer.unk_token_id}:  # what an absent vocabulary becomes in some versions
        raise WeightsError(
            f"the tokenizer in {folder} knows no words",
            remedy="copy the model's tokenizer files (tokenizer.json) into the folder",
        )
    if tokenizer.eos_token_id is None:
        _take_end_token(tokenizer, config, folder)
    highest = max(tokenizer.get_vocab().values())
    size = config.vocab_size
    if highest >= size:
        beyond = sorted(
            token for token, number in tokenizer.get_vocab().items() if number >= config.vocab_size
        )
        raise WeightsError(
            f"the tokenizer in {folder} has tokens that the language model has no embeddings for",
            found=f"{len(beyond)} beyond its {size:,}, e.g. {', '.join(map(repr, beyond[:3]))}",
            remedy="use the model's own tokenizer, or resize the model's embeddings"
            " (`resize_token_embeddings`) and save it",
        )
    return tokenizer


def _read_tokenizer(folder: Path) -> Any:
    """Return the folder's tokenizer; of `tokenizer.model` alone LLaMA's kind is read here.

    Raises:
        WeightsError: only a `tokenizer.model` is there, which needs a package that is not installed.
    """
    alone = (folder / "tokenizer.model").is_file() and not (folder / "tokenizer.json").is_file()
    try:
        own = read_llama_tokenizer(folder) if alone else None
        return own or AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (ImportError, ValueError) as error:
        if not alone:
            raise
        raise WeightsError(
            f"{folder} has a tokenizer.model and no tokenizer.json, and the former cannot be read here",
            found=first_line(error),
            remedy="copy the model's tokenizer.json into the folder, or install what reads the file: "
            "pip install protobuf sentencepiece (LLaMA 3's: tiktoken)",
        ) from None


def _take_end_token(tokenizer: Any, config: Any, folder: Path) -> None:
    """Give the tokenizer the end token of the model's configuration."""
    end = config.eos_token_id
    end = end[0] if isinstance(end, list) and end else end
    token = tokenizer.convert_ids_to_tokens(end) if isinstance(end, int) and end < len(tokenizer) else None
    if token is None:
        raise WeightsError(
            f"the tokenizer in {folder} has no end token, by which an answer ends",
            found="no eos_token in it, and none in config.json that it knows",
            remedy='name it in tokenizer_config.json: "eos_token": "..."',
        )
    tokenizer.eos_token = token


def _names(folder: Path) -> list[str]:
    """Return the names of all tensors in the folder's safetensors."""
    names: list[str] = []
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as stored:
            names += stored.keys()
    return names


def _renamed(names: list[str], wanted: list[str], base: str) -> dict[str, str]:
    """Return patterns that turn the text part's names in a whole model's file into its own.

    Args:
        names: of the file.
        wanted: of the language model alone.
        base: what stands before its layers in `wanted`.
    """
    inner = [name.removeprefix(f"{base}.") for name in wanted if name.startswith(f"{base}.")]
    probe = next(name for name in inner if re.search(r"\.0\.", name))
    before = [name.removesuffix(probe) for name in names if name.endswith(probe)]
    # A vision encoder may have layers of the same names; a text part never stands below "vision".
    text = [prefix for prefix in before if "vision" not in prefix and "visual" not in prefix]
    mapping = {f"^{re.escape(prefix)}": f"{base}." for prefix in sorted(set(text), key=len)[:1]}
    heads = [name for name in names if name.endswith("lm_head.weight") and name != "lm_head.weight"]
    return mapping | {f"^{re.escape(name)}": "lm_head.weight" for name in heads[:1]}
