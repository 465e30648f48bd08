"""The trained tensors of PeFoMed and MiniGPT-v2 `.pth` files, read and written under our adapter's names.

    llama_proj.{weight,bias}                       <-> base_model.model.projector.{weight,bias}
    llama_model.base_model.model.model.layers.N.   <-> base_model.model.language_model.model.layers.N.
      self_attn.Q.lora_A.default.weight                  self_attn.Q.lora_A.weight

PEFT has the names of LoRA without `.default` up to 0.2, which the authors pin, and with it from 0.3 on. Their
loaders take what fits and say nothing of the rest, so files are written with both: two names of one tensor,
stored once. The authors' trainer leaves out what is not trained by the names of parameters alone, so that its
files hold the model's buffers too (`constants`). Ours hold under `base` what `base.json` says; their loaders
leave it alone.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from pefomed.errors import WeightsError
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.weights.base import Base, base_of_json
from pefomed.weights.constants import wrong_constant
from pefomed.weights.pth import load_pth, read_pth

_LORA = re.compile(
    r"llama_model\.base_model\.model\.model\.layers\.(?P<layer>\d+)\.(?P<module>[\w.]{1,200})"
    r"\.lora_(?P<half>[AB])(?:\.default)?\.weight"
)
_OURS = re.compile(
    r"base_model\.model\.language_model\.model\.layers\.(?P<layer>\d+)\.(?P<module>[\w.]{1,200})"
    r"\.lora_(?P<half>[AB])\.weight"
)
_PROJECTOR = {
    "llama_proj.weight": "base_model.model.projector.weight",
    "llama_proj.bias": "base_model.model.projector.bias",
}
_REMEDY = "give a checkpoint of PeFoMed or MiniGPT-v2: tensors only, under the key `model` or alone"


def import_legacy(
    path: Path, wanted: Mapping[str, Tensor] | None = None, frequencies: Tensor | None = None
) -> dict[str, Tensor]:
    """Return the tensors of a `.pth` file under our adapter's names, float32.

    `wanted` is the adapter's own state (`adapter.adapter_state`): with it the file must hold exactly those
    tensors in those shapes. Without it the file must be whole in itself: the projector, and for every
    adapted module of every layer both halves. Known constants of the model beside them are checked, left
    out, and counted in a note; `frequencies` are the language model's (`constants.rotary_frequencies`).

    Raises:
        WeightsError: the file is missing, no `.pth`, holds code, has missing, unexpected or misshapen
            tensors, or constants of another model; all of them are named.
    """
    state: dict[str, Tensor] = {}
    unexpected, wrong, constants = [], [], Counter[str]()
    for name, tensor in read_pth(path, _REMEDY).items():
        new = _our_name(name)
        if new is not None and tensor.is_floating_point():
            numbers = tensor.to(torch.float32)
            first = state.setdefault(new, numbers)
            if first is not numbers and not torch.equal(first, numbers):
                unexpected.append(f"{name} (other numbers than under its other name)")
        elif new is not None or (problem := wrong_constant(name, tensor, frequencies)) is None:
            unexpected.append(name)
        elif problem:
            wrong.append(f"{name}: {problem}")
        else:
            constants[name.rpartition(".")[2]] += 1
    expected = wanted.keys() if wanted is not None else _whole(state)
    problems = {
        "missing": [legacy_name(name) for name in expected if name not in state],
        "unexpected": unexpected + [legacy_name(name) for name in state if name not in expected],
        "wrong shape": [
            f"{legacy_name(name)} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in (wanted or {}).items()
            if name in state and state[name].shape != tensor.shape
        ],
        "of another model": wrong,
    }
    if found := _counted(problems):
        raise WeightsError(
            f"{path} does not hold the adapter that is wanted",
            found=found,
            remedy="choose the recipe it was trained with: group, LoRA rank and targets, language model",
        )
    if constants:
        counted = ", ".join(f"{count} {name}" for name, count in constants.items())
        note(f"{path.name}: constants left out, the model computes its own: {counted}")
    return state


def base_in(path: Path) -> Base | None:
    """Return the base that a `.pth` file of ours names; None if it does not.

    Raises:
        WeightsError: as `import_legacy` for a file that cannot be read.
    """
    try:
        return base_of_json(load_pth(path, _REMEDY)["base"])
    except (KeyError, ValueError, TypeError):
        return None


def export_legacy(state: Mapping[str, Tensor], path: Path, *, base: Base | None = None) -> None:
    """Write our adapter's tensors as a `.pth` that PeFoMed and MiniGPT-v2 load, with any version of PEFT.

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
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        numbers = tensor.detach().cpu().contiguous()
        # Two names of one storage, which torch writes once.
        tensors |= {legacy_name(name, default): numbers for default in (True, False)}
    named = {} if base is None else {"base": json.loads(base.dumps())}
    packed = io.BytesIO()
    torch.save({"model": tensors, **named}, packed)
    write(path, packed.getvalue())


def legacy_name(name: str, default: bool = True) -> str:
    """Return the `.pth` name of one of our adapter's tensors; unknown names come back as they are.

    `default` chooses the spelling of PEFT 0.3 and later; without it the older one.
    """
    for old, new in _PROJECTOR.items():
        if name == new:
            return old
    match = _OURS.fullmatch(name)
    if match is None:
        return name
    ending = ".default.weight" if default else ".weight"
    module = f"llama_model.base_model.model.model.layers.{match['layer']}.{match['module']}"
    return f"{module}.lora_{match['half']}{ending}"


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
