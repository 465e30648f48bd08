"""The trained tensors of PeFoMed and MiniGPT-v2 `.pth` files, read and written under our adapter's names.

    llama_proj.{weight,bias}                       <-> base_model.model.projector.{weight,bias}
    llama_model.base_model.model.model.layers.N.   <-> base_model.model.language_model.model.layers.N.
      self_attn.Q.lora_A.default.weight                  self_attn.Q.lora_A.weight

A `.pth` holds a dict with the key `model`; older files spell the LoRA names without `.default`. Ours hold
under `base` what `base.json` says; their loaders leave it alone.
"""

from __future__ import annotations

import json
import pickle
import re
import struct
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pefomed.errors import StorageError, WeightsError
from pefomed.model.identity import Base, base_of_json

_LORA = re.compile(
    r"llama_model\.base_model\.model\.model\.layers\.(?P<layer>\d+)\.(?P<module>[\w.]+)"
    r"\.lora_(?P<half>[AB])(?:\.default)?\.weight"
)
_OURS = re.compile(
    r"base_model\.model\.language_model\.model\.layers\.(?P<layer>\d+)\.(?P<module>[\w.]+)"
    r"\.lora_(?P<half>[AB])\.weight"
)
_PROJECTOR = {
    "llama_proj.weight": "base_model.model.projector.weight",
    "llama_proj.bias": "base_model.model.projector.bias",
}
_REMEDY = "give a checkpoint of PeFoMed or MiniGPT-v2: a dict with the key `model` of tensors only"
# what torch's reader raises for files that are cut or were never pickles
_UNREADABLE = (
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


def import_legacy(path: Path, wanted: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Return the tensors of a `.pth` file under our adapter's names, float32.

    `wanted` is the adapter's own state (`adapter.adapter_state`): with it the file must hold exactly those
    tensors in those shapes. Without it the file must be whole in itself: the projector, and for every
    adapted module of every layer both halves.

    Raises:
        WeightsError: the file is missing, no `.pth`, holds code, or has missing, unexpected or misshapen
            tensors; all of them are named.
    """
    state: dict[str, Tensor] = {}
    unexpected = []
    for name, tensor in _tensors_in(path).items():
        new = _our_name(name)
        if new is None or new in state:
            unexpected.append(name)
        else:
            state[new] = tensor.to(torch.float32)
    expected = wanted.keys() if wanted is not None else _whole(state)
    problems = {
        "missing": [legacy_name(name) for name in expected if name not in state],
        "unexpected": unexpected + [legacy_name(name) for name in state if name not in expected],
        "wrong shape": [
            f"{legacy_name(name)} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in (wanted or {}).items()
            if name in state and state[name].shape != tensor.shape
        ],
    }
    if found := _counted(problems):
        raise WeightsError(
            f"{path} does not hold the adapter that is wanted",
            found=found,
            remedy="choose the recipe it was trained with: group, LoRA rank and targets, language model",
        )
    return state


def base_in(path: Path) -> Base | None:
    """Return the base that a `.pth` file of ours names; None if it does not.

    Raises:
        WeightsError: as `import_legacy` for a file that cannot be read.
    """
    try:
        return base_of_json(_loaded(path)["base"])
    except (KeyError, ValueError):
        return None


def export_legacy(
    state: Mapping[str, Tensor], path: Path, *, default: bool = True, base: Base | None = None
) -> None:
    """Write our adapter's tensors as a `.pth` that PeFoMed and MiniGPT-v2 load.

    `default` chooses today's PEFT spelling; without it the older one.

    Raises:
        WeightsError: a tensor has no name there, or the projector or half a LoRA pair is missing.
        StorageError: the file cannot be written.
    """
    problems = {
        "missing": [name for name in _whole(state) if name not in state],
        "unexpected": [
            name for name in state if name not in _PROJECTOR.values() and not _OURS.fullmatch(name)
        ],
    }
    if found := _counted(problems):
        raise WeightsError(
            "the adapter cannot be written as a MiniGPT-v2 file",
            found=found,
            remedy="only a projector and LoRA on a LLaMA-like language model have names there",
        )
    tensors = {
        legacy_name(name, default): tensor.detach().cpu().contiguous() for name, tensor in state.items()
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")  # renamed when whole: a kill leaves no half file
        named = {} if base is None else {"base": json.loads(base.dumps())}
        torch.save({"model": tensors, **named}, part)
        part.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise StorageError(f"cannot write {path}", found=str(error), remedy="choose another place") from None


def legacy_name(name: str, default: bool = True) -> str:
    """Return the `.pth` name of one of our adapter's tensors; unknown names come back as they are."""
    for old, new in _PROJECTOR.items():
        if name == new:
            return old
    match = _OURS.fullmatch(name)
    if match is None:
        return name
    ending = ".default.weight" if default else ".weight"
    module = f"llama_model.base_model.model.model.layers.{match['layer']}.{match['module']}"
    return f"{module}.lora_{match['half']}{ending}"


def _tensors_in(path: Path) -> dict[str, Tensor]:
    loaded = _loaded(path)
    tensors = loaded.get("model")
    if not isinstance(tensors, dict):
        keys = ", ".join(map(str, list(loaded)[:5]))
        raise WeightsError(f"{path} has no key `model`", found=keys or "an empty dict", remedy=_REMEDY)
    others = [str(name) for name, value in tensors.items() if not _is_whole(value)]
    if others:
        raise WeightsError(f"{path} holds more than tensors", found=", ".join(others), remedy=_REMEDY)
    return {str(name): tensor for name, tensor in tensors.items()}


def _loaded(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"no file {path}", remedy="give the path of a `.pth` file")
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickle versions; the errors say enough
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        called = re.search(r"(?:GLOBAL|class) ([\w.]*\w)", str(error))
        raise WeightsError(
            f"{path} is a pickle with more than tensors in it; nothing of it was run",
            found=called[1] if called else "instructions that tensors do not need",
            remedy="do not trust the file; have its author save the tensors alone",
        ) from None
    except _UNREADABLE as error:
        found = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise WeightsError(f"{path} cannot be read as a `.pth` file", found=found, remedy=_REMEDY) from None
    if not isinstance(loaded, dict):
        raise WeightsError(f"{path} has no key `model`", found=type(loaded).__name__, remedy=_REMEDY)
    return loaded


def _is_whole(value: Any) -> bool:
    """Return whether a value is a tensor whose numbers are all there: few bytes can stand for very many."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or not value.is_floating_point():
        return False
    return not value.is_meta and value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _our_name(name: str) -> str | None:
    if name in _PROJECTOR:
        return _PROJECTOR[name]
    match = _LORA.fullmatch(name)
    if match is None:
        return None
    module = f"base_model.model.language_model.model.layers.{match['layer']}.{match['module']}"
    return f"{module}.lora_{match['half']}.weight"


def _whole(names: Iterable[str]) -> list[str]:
    """Return the names of the smallest complete adapter around `names`: no half pair, no layer left out."""
    matches = [match for match in map(_OURS.fullmatch, names) if match]
    layers = max((int(match["layer"]) for match in matches), default=-1) + 1
    modules = sorted({match["module"] for match in matches})
    return list(_PROJECTOR.values()) + [
        f"base_model.model.language_model.model.layers.{layer}.{module}.lora_{half}.weight"
        for layer in range(layers)
        for module in modules
        for half in "AB"
    ]


def _counted(problems: Mapping[str, list[str]]) -> str | None:
    lines = []
    for word, names in problems.items():
        if names:
            lines.append(f"{len(names)} {word}: {', '.join(names)}")
    return "; ".join(lines) or None
