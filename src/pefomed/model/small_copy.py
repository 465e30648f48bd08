"""A small random copy of a language model: the same family, the same kinds of layers, computed in seconds.

Weights are large enough that attention is not flat and a token that is wrongly seen, or not seen, shows;
windows are so short that a row of twenty tokens passes them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

VOCABULARY = 64
WINDOW = 8
"""Tokens of the copy's sliding windows and chunks."""

_MOST_LAYERS = 12
_LAYERS = "num_hidden_layers n_layer n_layers num_layers".split()
_HEADS = "num_attention_heads num_heads n_head n_heads".split()
_KEY_HEADS = "num_key_value_heads num_kv_heads".split()
_WIDTHS = "hidden_size n_embd d_model word_embed_proj_dim".split()
_MIDDLES = (
    "intermediate_size ffn_dim n_inner moe_intermediate_size shared_expert_intermediate_size"
    " intermediate_size_mlp expert_ffn_hidden_size ffn_hidden_size".split()
)
_EXPERTS = "num_experts num_local_experts n_routed_experts".split()
_WINDOWS = "sliding_window attention_chunk_size window_size attention_window_size".split()
_META = (
    "transformers_version architectures torch_dtype dtype model_type _name_or_path auto_map"
    " quantization_config is_encoder_decoder".split()
)


def small_configs(config: Any) -> list[Any]:
    """Return configurations of small copies of `config`'s model, the smallest first; the last changes least.

    Not every family lets its widths be changed: the first that can be built is the one to use.
    """
    found = []
    for shrink in (True, False):
        try:
            found.append(_small(config, shrink))
        except Exception:  # whatever a family says about fields that it lacks or that do not go together
            continue
    return found


def large_weights(model: nn.Module, seed: int = 0) -> None:
    """Fill matrices with deviations of 1.5 / sqrt(inputs), embeddings of 1; move the rest a little."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                deviation = 1.0 if id(parameter) in embeddings else 1.5 / parameter.shape[-1] ** 0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation)
            else:  # norms, scales, decays: a little beside what they are, so that none switches a part off
                size = 1.0 if name.endswith(("bias", "sinks")) else 0.1
                parameter.add_(size * torch.randn(parameter.shape, generator=generator))


def plain_model(config: Any) -> Any:
    """Return a language model of this configuration with transformers' own plain attention."""
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()


def _small(config: Any, shrink: bool) -> Any:
    fields = {name: value for name, value in config.to_dict().items() if name not in _META}
    _fewer_layers(fields, config)
    _short_windows(fields)
    if shrink:
        _narrow(fields, config)
    fields |= {name: VOCABULARY for name in fields if name.startswith("vocab_size")}
    return type(config)(**(fields | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}))


def _fewer_layers(fields: dict[str, Any], config: Any) -> None:
    """Keep one layer of each kind, at least two."""
    layers = int(config.num_hidden_layers)
    kinds = list(
        getattr(config, "layer_types", None) or getattr(config, "layers_block_type", None) or [None] * layers
    )
    firsts = [kinds.index(kind) for kind in dict.fromkeys(kinds)]
    if fields.get(
        "num_kv_shared_layers"
    ):  # the last ones, which read what earlier ones of their kind have computed
        kept = firsts * 2
        fields["num_kv_shared_layers"] = len(firsts)
    elif fields.get("layer_types"):
        kept = firsts if len(firsts) > 1 else [0, 1][:layers]
    else:  # which kind a layer is follows from its number
        kept = list(range(min(max(firsts[-1] + 1, 2), _MOST_LAYERS, layers)))
    for name, value in fields.items():
        if isinstance(value, list) and len(value) == layers and layers > 1:
            fields[name] = [value[place] for place in kept]
    fields |= {name: len(kept) for name in _LAYERS if name in fields}
    if isinstance(fields.get("max_window_layers"), int):
        fields["max_window_layers"] = min(fields["max_window_layers"], 1)


def _short_windows(fields: dict[str, Any]) -> None:
    for name in _WINDOWS:
        if isinstance(fields.get(name), int) and fields[name] > WINDOW:
            fields[name] = WINDOW


def _narrow(fields: dict[str, Any], config: Any) -> None:
    """Make heads fewer (their width and the way they are grouped stay), middles narrow, experts few."""
    heads = int(config.num_attention_heads)
    key_heads = next((int(fields[name]) for name in _KEY_HEADS if fields.get(name)), heads)
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    groups = min(key_heads, 2)
    fewer = groups * min(max(heads // key_heads, 1), 4)
    fields |= {name: fewer for name in _HEADS if name in fields}
    fields |= {name: groups for name in _KEY_HEADS if fields.get(name)}
    fields |= {name: fewer * width for name in _WIDTHS if fields.get(name)}
    fields |= {name: 64 for name in _MIDDLES if isinstance(fields.get(name), int)}
    for name in _EXPERTS:
        if isinstance(fields.get(name), int) and fields[name] > 8:
            fields[name] = 8
