"""LoRA and projector as one PEFT adapter folder that PEFT alone can load."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from pefomed.errors import RecipeError, RunError, WeightsError, nearest
from pefomed.files import checksums
from pefomed.files.storage import as_created, storage_errors
from pefomed.models.finite import check_adapter
from pefomed.models.layers import LINEAR
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.recipe import Lora
from pefomed.weights.identity import check_base, name_base, read_base


def add_adapter(model: PefomedForConditionalGeneration, lora: Lora, *, seed: int = 0) -> PeftModel:
    """Wrap `model` with fresh LoRA on its language model and a trainable copy of the projector.

    LoRA's B starts at zero, so the wrapped model computes what the bare one does.

    Raises:
        RecipeError: a name in `lora.targets` matches no linear layer of the language model.
    """
    linear = _targets(model, lora.targets)
    names = "|".join(re.escape(target) for target in lora.targets)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        # The vision encoder has layers of the same names, so the pattern must name the language model.
        target_modules=rf".*\blanguage_model\..*\b({names})",
        modules_to_save=["projector"],
        task_type="CAUSAL_LM",
        fan_in_fan_out=all(isinstance(module, Conv1D) for module in linear),  # weights as GPT-2 has them
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _wrap(model, config)


def base_of(model: Any) -> Any:
    """Return the model (`protocol.VisionLanguageModel`) inside its adapter, or that has none."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def load_adapter(model: PefomedForConditionalGeneration, folder: Path) -> PeftModel:
    """Wrap `model` with the adapter of `folder`; its weights are trainable float32.

    Raises:
        RunError: there is no adapter in the folder.
        WeightsError: it is damaged, was trained on other base weights, or its tensors are not exactly those
            the model needs.
    """
    config, state = read_adapter(folder)
    check_base(model.base, read_base(folder), f"the adapter in {folder}", config.base_model_name_or_path)
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
    base = getattr(base_of(model), "base", None)
    if base is not None:
        name_base(model.peft_config["default"], base(), folder)
    with storage_errors(folder):
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    as_created(folder / "adapter_model.safetensors")
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card says nothing
    checksums.seal(folder)


def trainable(model: nn.Module, parts: tuple[str, ...]) -> dict[str, list[nn.Parameter]]:
    """Freeze everything but `parts` (`projector`, `lora`) and return their parameters."""
    chosen: dict[str, list[nn.Parameter]] = {part: [] for part in parts}
    for name, parameter in model.named_parameters():
        part = part_of(name)
        parameter.requires_grad_(part in chosen)
        if part is not None and part in chosen:
            chosen[part].append(parameter)
    return chosen


def part_of(name: str) -> str | None:
    """Return the part of the adapter that a parameter of this name belongs to, None if it is of the base."""
    return "lora" if "lora_" in name else "projector" if "projector.modules_to_save" in name else None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _wrap(model: PefomedForConditionalGeneration, config: LoraConfig) -> PeftModel:
    with warnings.catch_warnings():
        # PEFT asks transformers 5 by an attribute's older name; nothing a user can do about it.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        # The name is a place; whether it is the same base is told by `check_base`.
        warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path` was renamed")
        return get_peft_model(model, config)


def _targets(model: PefomedForConditionalGeneration, targets: tuple[str, ...]) -> list[nn.Module]:
    """Return the linear layers that the targets name.

    Raises:
        RecipeError: a name matches none.
    """
    linear = [
        (name.rsplit(".", 1)[-1], module)
        for name, module in model.language_model.named_modules()
        if isinstance(module, LINEAR)
    ]
    names = {name for name, _ in linear}
    for target in targets:
        if target not in names:
            raise RecipeError(
                f"model.lora.targets: {target!r} matches no linear layer of the language model",
                remedy=nearest(target, names),
            )
    return [module for name, module in linear if name in targets]
