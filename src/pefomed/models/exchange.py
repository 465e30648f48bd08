"""Adapter folders made from PeFoMed and MiniGPT-v2 `.pth` files, and the other way round."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save

from pefomed.files import checksums
from pefomed.files.storage import storage_errors, write
from pefomed.models.adapter import add_adapter, read_adapter
from pefomed.models.describe import meta_model
from pefomed.models.finite import check_adapter
from pefomed.models.legacy import base_in, export_legacy, import_legacy
from pefomed.recipe import Model
from pefomed.weights.constants import rotary_frequencies
from pefomed.weights.identity import base_on_disk, check_base, name_base, read_base


def import_adapter(file: Path, recipe: Model, out: Path) -> Path:
    """Write the tensors of `file` as the PEFT adapter folder `out`; no base weights are loaded.

    The adapter names the recipe's base, with its hash if that is on this disk.

    Raises:
        WeightsError: names every tensor that is missing, unexpected or of another shape; or the file names
            another base.
    """
    model = meta_model(recipe)
    with torch.device("meta"):
        adapted = add_adapter(model, recipe.lora)
    wanted = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    state = import_legacy(file, wanted, rotary_frequencies(model.language_model))
    check_adapter(state.items(), str(file))
    base = base_on_disk(recipe)
    named = base_in(file)
    if named is not None:
        check_base(lambda: base, named, str(file))
        base = base if base.is_hashed() else named
    config = adapted.peft_config["default"]
    config.inference_mode = True
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        name_base(config, base, out)
        config.save_pretrained(str(out))
    weights = out / "adapter_model.safetensors"
    write(weights, save({name: tensor.contiguous() for name, tensor in state.items()}))
    checksums.seal(out)
    return out


def export_adapter(folder: Path, file: Path) -> Path:
    """Write the adapter in `folder` as a `.pth` that PeFoMed and MiniGPT-v2 load.

    Raises:
        RunError: there is no adapter in the folder.
        WeightsError: it is damaged or not finite, or a tensor has no name there.
    """
    _, state = read_adapter(folder)
    check_adapter(state.items(), f"the adapter in {folder}")
    export_legacy(state, file, base=read_base(folder))
    return file
