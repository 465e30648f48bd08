"""BLIP-2's published EVA ViT-g (`eva_vit_g.pth`, LAVIS) as an ordinary Hugging Face folder, made once.

    patch_embed.proj, cls_token, pos_embed -> embeddings.patch_, class_, position_embedding
    blocks.N.norm1, norm2, mlp.fc1, fc2    -> encoder.layers.N.layer_norm1, layer_norm2, mlp.fc1, fc2
    blocks.N.attn.qkv, proj                -> encoder.layers.N.self_attn.qkv, projection
    blocks.N.attn.q_bias, v_bias           -> self_attn.qkv.bias = (q_bias, 0, v_bias)

BLIP-2, MiniGPT-v2 and PeFoMed take 39 layers and what leaves the last of them: a 40th block, a final norm and
a head are left out. The norm behind them is a new one, at identity. Numbers stay as the file has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Blip2VisionConfig, Blip2VisionModel

from pefomed.errors import WeightsError, listed
from pefomed.progress import line, note
from pefomed.weights import converted
from pefomed.weights.constants import wrong_constant
from pefomed.weights.folder_hashes import file_hash
from pefomed.weights.pth import read_pth

LAYERS = 39
HEAD_WIDTH = 88

_PREPROCESSOR = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],  # CLIP's, as BLIP-2
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
_REMEDY = "give LAVIS's eva_vit_g.pth, a transformers folder, or the known name eva-vit-g"
_AROUND = {
    "cls_token": "embeddings.class_embedding",
    "pos_embed": "embeddings.position_embedding",
    "patch_embed.proj.weight": "embeddings.patch_embedding.weight",
    "patch_embed.proj.bias": "embeddings.patch_embedding.bias",
}
_INSIDE = {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.qkv": "self_attn.qkv",
    "attn.proj": "self_attn.projection",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
_UNUSED = re.compile(r"(norm|fc_norm|head)\.(weight|bias)|mask_token")


def folder_of_eva(file: Path, cache: Path | None = None) -> Path:
    """Return the folder made of `file`, making it if it is not there yet; it is known by the file's SHA-256.

    Raises:
        WeightsError: the file is missing, is no `.pth`, or is of another model; all wrong tensors are named.
        StorageError: the cache cannot be written.
    """
    if not file.is_file():
        raise WeightsError(f"no file {file}", remedy=_REMEDY)
    root = cache or converted.cache_folder()
    digest = file_hash(file)
    target = root / f"{file.stem}-file-{digest[:16]}-{converted.CONVERSION}"
    if made := converted.converted_folder(target):
        return made
    origin = {"origin": "file", "name": file.name, "file": file.name, "sha256": digest}
    with (
        line(f"converting {file.name}", 2, "steps") as shown,
        converted.new_folder(target, origin, "2 GB") as folder,
    ):
        config, state, unused = eva_state(read_pth(file, _REMEDY), file)
        shown.advance(note="writing")
        config.save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR), encoding="utf-8")
        save_file(state, folder / "model.safetensors", {"format": "pt"})
    if unused:
        note(f"{file.name}: left out, as the authors do: {listed(unused)}")
    note(f"{file.name} has the SHA-256 {digest}")
    return target


def eva_state(tensors: Mapping[str, Tensor], file: Path) -> tuple[Any, dict[str, Tensor], list[str]]:
    """Return configuration and tensors of transformers' encoder, and what of the file is left out.

    Raises:
        WeightsError: names every missing and unexpected tensor, and every wrong shape.
    """
    config = _config(tensors, file)
    kept = config.num_hidden_layers
    state, unexpected, unused = {}, [], []
    biases: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        block = _BLOCK.fullmatch(name)
        number, inner = (int(block[1]), block[2]) if block else (0, "")
        module, _, kind = inner.rpartition(".")
        if name in _AROUND:
            state[_AROUND[name]] = tensor
        elif block and number >= kept:
            unused.append(f"block {number + 1}")
        elif inner in ("attn.q_bias", "attn.v_bias"):
            biases.setdefault(f"encoder.layers.{number}.self_attn.qkv.bias", {})[inner[5]] = tensor
        elif module in _INSIDE and kind in ("weight", "bias") and inner != "attn.qkv.bias":
            state[f"encoder.layers.{number}.{_INSIDE[module]}.{kind}"] = tensor
        elif _UNUSED.fullmatch(name) or wrong_constant(name, tensor) == "":
            unused.append(name)
        else:
            unexpected.append(name)
    for name, halves in biases.items():
        if len(halves) == 2 and halves["q"].shape == halves["v"].shape == (config.hidden_size,):
            state[name] = torch.cat([halves["q"], torch.zeros_like(halves["q"]), halves["v"]])
    like = state["embeddings.position_embedding"]
    for name, value in (("weight", torch.ones), ("bias", torch.zeros)):
        state[f"post_layernorm.{name}"] = value(config.hidden_size, dtype=like.dtype)
    _check(config, state, unexpected, file)
    return config, {name: t.contiguous() for name, t in state.items()}, list(dict.fromkeys(unused))


def _config(tensors: Mapping[str, Tensor], file: Path) -> Any:
    """Return the configuration that the tensors' shapes are of."""
    positions, patches = tensors.get("pos_embed"), tensors.get("patch_embed.proj.weight")
    first = tensors.get("blocks.0.mlp.fc1.weight")
    blocks = 1 + max((int(found[1]) for found in map(_BLOCK.fullmatch, tensors) if found), default=-1)
    if positions is None or patches is None or first is None:
        raise WeightsError(
            f"{file} is not of EVA ViT-g", found=listed(list(tensors)) or "no tensors", remedy=_REMEDY
        )
    side = round(max(positions.shape[1] - 1, 0) ** 0.5) if positions.dim() == 3 else 0
    width = positions.shape[-1] if side else 0
    fits = side and side**2 + 1 == positions.shape[1] and width and width % HEAD_WIDTH == 0
    fits = fits and patches.dim() == 4 and patches.shape[-1] > 0 and first.dim() == 2 and first.shape[0] > 0
    if not fits or blocks > LAYERS + 1:
        raise WeightsError(
            f"{file} is not of EVA ViT-g",
            found=f"{blocks} blocks, pos_embed {tuple(positions.shape)}, patches {tuple(patches.shape)}",
            remedy=_REMEDY,
        )
    return Blip2VisionConfig(
        hidden_size=width,
        intermediate_size=first.shape[0],
        num_hidden_layers=min(blocks, LAYERS),
        num_attention_heads=width // HEAD_WIDTH,
        image_size=side * patches.shape[-1],
        patch_size=patches.shape[-1],
        hidden_act="gelu",
        layer_norm_eps=1e-6,
        qkv_bias=True,
        architectures=["Blip2VisionModel"],
    )


def _check(config: Any, state: Mapping[str, Tensor], unexpected: list[str], file: Path) -> None:
    with torch.device("meta"):
        wanted = Blip2VisionModel(config).state_dict()
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in state and (state[name].shape != tensor.shape or not state[name].is_floating_point())
    ]
    problems = {
        "missing": [name for name in wanted if name not in state],
        "unexpected": unexpected,
        "wrong shape": shapes,
    }
    found = "; ".join(f"{len(names)} {word}: {', '.join(names)}" for word, names in problems.items() if names)
    if found:
        raise WeightsError(f"{file} is not the EVA ViT-g that is wanted", found=found, remedy=_REMEDY)
