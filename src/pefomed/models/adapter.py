"""LoRA and projector as one PEFT adapter folder that PEFT alone can load."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pefomed.errors import RunError, WeightsError
from pefomed.files import checksums
from pefomed.files.storage import as_created, storage_errors
from pefomed.models.finite import check_adapter
from pefomed.models.parts import PartOf, Parts, lora_config
from pefomed.recipe import Lora
from pefomed.weights.identity import check_base, name_base, read_base


def add_adapter(model: Any, lora: Lora, *, seed: int = 0) -> PeftModel:
    """Wrap `model` with all parts that may be trained: fresh LoRA, and copies of what is trained whole.

    LoRA's B starts at zero, so the wrapped model computes what the bare one does.

    Raises:
        RecipeError: a name in `lora.targets` matches no linear layer of the language model.
        WeightsError: a family's parts are not modules of it.
    """
    config = lora_config(model, parts_of(model), lora)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _wrap(model, config)


def base_of(model: Any) -> Any:
    """Return the model (`protocol.VisionLanguageModel`) inside its adapter, or that has none."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def load_adapter(model: Any, folder: Path) -> PeftModel:
    """Wrap `model` with the adapter of `folder`; its weights are trainable float32.

    Raises:
        RunError: there is no adapter in the folder.
        WeightsError: it is damaged, was trained on other base weights, or its tensors are not exactly those
            the model needs.
    """
    config, state = read_adapter(folder)
    check_base(
        getattr(model, "base_identity", None),
        read_base(folder),
        f"the adapter in {folder}",
        config.base_model_name_or_path,
    )
    config.inference_mode = False
    try:
        wrapped = _wrap(model, config)
    except (ValueError, RuntimeError, TypeError) as error:  # layers that are not there, a rank of nothing
        raise WeightsError(
            f"the adapter in {folder} does not fit the model",
            found=_first_line(error),
            remedy="use the base models it was trained on",
        ) from None
    load_state(wrapped, state)
    return wrapped


def read_adapter(folder: Path) -> tuple[LoraConfig, dict[str, Tensor]]:
    """Return configuration and tensors of an adapter folder, on the CPU.

    Raises:
        RunError: there is no adapter in the folder.
        WeightsError: a file is missing, not as it was written, or cannot be read.
    """
    settings, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    if not settings.exists() and not weights.exists():
        raise RunError(f"no adapter in {folder}", remedy="train it first: pefomed train RECIPE")
    remedy = "copy it again; in a run `pefomed train RUN` writes it again from its checkpoints"
    wrong = checksums.damage(folder) if checksums.is_sealed(folder) else ""
    if wrong:
        raise WeightsError(
            f"the adapter in {folder} is damaged",
            found=wrong,
            remedy=f"{remedy}; if the change is yours, delete its {checksums.FILE}",
        )
    for file in (settings, weights):
        if not file.is_file():
            raise WeightsError(
                f"the adapter in {folder} is not whole", found=f"no {file.name}", remedy=remedy
            )
    try:
        fields = json.loads(settings.read_text(encoding="utf-8"))
        if not isinstance(fields, dict) or fields.get("peft_type") != "LORA":
            raise ValueError("it does not describe LoRA")
        config = LoraConfig.from_pretrained(str(folder))
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        raise WeightsError(f"{settings} cannot be read", found=_first_line(error), remedy=remedy) from None
    try:
        # Not by PEFT, which asks the network for a file that is not there.
        state = load_file(weights)
    except (SafetensorError, ValueError, RuntimeError, OSError) as error:
        raise WeightsError(f"{weights} cannot be read", found=_first_line(error), remedy=remedy) from None
    return config, state


def adapter_state(model: PeftModel) -> dict[str, Tensor]:
    """Return copies of the trained tensors under the names of `adapter_model.safetensors`."""
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def load_state(model: PeftModel, state: dict[str, Tensor]) -> None:
    """Load trained tensors strictly.

    Raises:
        WeightsError: names every missing and unexpected tensor, every wrong shape, and what is not finite.
    """
    wanted = get_peft_model_state_dict(model, save_embedding_layers=False)
    missing, unexpected = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & state.keys())
        if wanted[name].shape != state[name].shape
    ]
    problems = [
        f"{word}: {', '.join(names)}"
        for word, names in (("missing", missing), ("unexpected", unexpected), ("wrong shape", shapes))
        if names
    ]
    if problems:
        raise WeightsError(
            "the adapter does not fit the model",
            found="; ".join(problems),
            remedy="use the recipe the adapter was trained with (group, LoRA rank and targets, base models)",
        )
    check_adapter(state.items(), "the adapter")
    set_peft_model_state_dict(model, state)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write `adapter_config.json`, `adapter_model.safetensors`, `base.json` and their checksums.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    base = getattr(base_of(model), "base_identity", None)
    if base is not None:
        name_base(model.peft_config["default"], base(), folder)
    with storage_errors(folder):
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    as_created(folder / "adapter_model.safetensors")
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card says nothing
    checksums.seal(folder)


def trainable(model: nn.Module, parts: tuple[str, ...]) -> dict[str, list[nn.Parameter]]:
    """Freeze everything but `parts` (`projector`, `lora`, or a family's own) and return their parameters."""
    chosen: dict[str, list[nn.Parameter]] = {part: [] for part in parts}
    part_of = PartOf(parts_of(base_of(model)))
    for name, parameter in model.named_parameters():
        part = part_of(name)
        parameter.requires_grad_(part in chosen)
        if part is not None and part in chosen:
            chosen[part].append(parameter)
    return chosen


def parts_of(model: Any) -> Parts:
    """Return what of a model (`protocol.VisionLanguageModel`) a stage may train."""
    return model.parts()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _wrap(model: Any, config: LoraConfig) -> PeftModel:
    with warnings.catch_warnings():
        # PEFT asks transformers 5 by an attribute's older name; nothing a user can do about it.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        # The name is a place; whether it is the same base is told by `check_base`.
        warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path` was renamed")
        return get_peft_model(model, config)
