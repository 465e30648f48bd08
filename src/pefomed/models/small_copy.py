"""A small random copy of a language model: the same family, the same kinds of layers, computed in seconds.

Weights are large enough that attention is not flat and a token that is wrongly seen, or not seen, shows;
windows are so short that a row of twenty tokens passes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from pefomed.weights.folders import first_line

VOCABULARY = 64
WINDOW = 8
"""Tokens of the copy's sliding windows and chunks."""

_MOST_LAYERS = 12
_MOST_WEIGHTS = 500_000_000
_LAYERS = "num_hidden_layers n_layer n_layers num_layers".split()
_HEADS = "num_attention_heads num_heads n_head n_heads".split()
_KEY_HEADS = "num_key_value_heads num_kv_heads".split()
_WIDTHS = "hidden_size n_embd d_model word_embed_proj_dim".split()
_MIDDLES = (
    "intermediate_size ffn_dim n_inner moe_intermediate_size shared_expert_intermediate_size"
    " intermediate_size_mlp expert_ffn_hidden_size ffn_hidden_size".split()
)
_EXPERTS = "num_experts num_local_experts n_routed_experts moe_num_experts".split()
_ONE = "n_group topk_group".split()
_TWO = "num_experts_per_tok num_experts_per_token moe_topk moe_k".split()
_SIXTEEN = "chunk_size mamba_chunk_size mamba_d_state state_size".split()
_WINDOWS = "sliding_window attention_chunk_size window_size attention_window_size".split()
_META = (
    "transformers_version architectures torch_dtype dtype model_type _name_or_path auto_map"
    " quantization_config is_encoder_decoder".split()
)


def small_configs(config: Any) -> tuple[list[Any], str]:
    """Return configurations of small copies of `config`'s model, the smallest first; the last changes least.

    Not every family lets its widths be changed: the first that can be built is the one to use. Beside them:
    why others cannot be had.
    """
    found, reason = [], ""
    for narrow in ((_heads, _middles), (_middles,), ()):
        try:
            small = _small(config, narrow)
            with torch.device("meta"):
                size = sum(p.numel() for p in AutoModelForCausalLM.from_config(small).parameters())
        except Exception as error:  # whatever a family says about fields it lacks or that do not go together
            reason = first_line(error)
            continue
        if size <= _MOST_WEIGHTS:
            found.append(small)
        else:
            reason = f"{size:,} weights in the smallest copy"
    return found, reason


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


def _small(config: Any, narrow: tuple[Callable[[dict[str, Any], Any], None], ...]) -> Any:
    fields = {name: value for name, value in config.to_dict().items() if name not in _META}
    _fewer_layers(fields, config)
    _short_windows(fields)
    for change in narrow:
        change(fields, config)
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
    if isinstance(differing := fields.get("per_layer_config"), dict):
        numbers = {int(number): value for number, value in differing.items()}
        fields["per_layer_config"] = {
            place: numbers[number] for place, number in enumerate(kept) if number in numbers
        }
    fields |= {name: len(kept) for name in _LAYERS if name in fields}
    if isinstance(fields.get("max_window_layers"), int):
        fields["max_window_layers"] = min(fields["max_window_layers"], 1)


def _short_windows(fields: dict[str, Any]) -> None:
    for name in _WINDOWS:
        if _is_more(fields.get(name), WINDOW):
            fields[name] = WINDOW


def _heads(fields: dict[str, Any], config: Any) -> None:
    """Make heads fewer, and all that is as wide as they are together; their width and grouping stay."""
    if not getattr(config, "num_attention_heads", None):  # Mamba: as wide as its heads are, by `expand`
        width, heads = 64, max(1, 64 * int(fields.get("expand", 2)) // int(fields.get("head_dim") or 64))
        fields |= {"hidden_size": width} | {name: heads for name in ("num_heads",) if name in fields}
        fields |= {name: 1 for name in ("n_groups",) if name in fields}
        return
    heads = int(config.num_attention_heads)
    key_heads = next((int(fields[name]) for name in _KEY_HEADS if fields.get(name)), heads)
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    groups = min(key_heads, 2)
    fewer = groups * min(max(heads // key_heads, 1), 4)
    fields |= {name: fewer for name in _HEADS if name in fields}
    fields |= {name: groups for name in _KEY_HEADS if fields.get(name)}
    fields |= {name: fewer * width for name in _WIDTHS if fields.get(name)}


def _middles(fields: dict[str, Any], config: Any) -> None:
    """Make the layers narrow inside, experts few, states small."""
    for names, most in ((_MIDDLES, 64), (_EXPERTS, 8), (_ONE, 1), (_TWO, 2), (_SIXTEEN, 16)):
        for name in names:
            value = fields.get(name)
            if isinstance(value, list):  # one for each layer
                fields[name] = [min(one, most) for one in value]
            elif _is_more(value, most):
                fields[name] = most


def _is_more(value: Any, most: int) -> bool:
    return isinstance(value, int) and value > most
