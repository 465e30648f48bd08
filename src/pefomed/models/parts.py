"""The parts of a model that a stage may train: LoRA on linear layers, or whole modules.

    {"lora": LoraPart("language_model"), "merger": WholePart(("merger",))}

A stage's `train` and `part_lr` name them, the adapter holds all of them, in PEFT's own form: LoRA of one
rank, and the whole modules as its `modules_to_save`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peft import LoraConfig
from peft.utils.constants import DUMMY_TARGET_MODULES
from torch import nn
from transformers.pytorch_utils import Conv1D

from pefomed.errors import RecipeError, WeightsError, nearest
from pefomed.models.layers import LINEAR
from pefomed.recipe import Lora, Stage
from pefomed.recipe.model import ALL_PARTS


@dataclass(frozen=True)
class LoraPart:
    """Low-rank updates of the linear layers below one module, those that `model.lora.targets` names."""

    inside: str
    """The module's name, as `named_modules` has it."""


@dataclass(frozen=True)
class WholePart:
    """Modules whose own weights are trained, as copies in float32."""

    modules: tuple[str, ...]
    """Their names, as `named_modules` has them."""


Parts = Mapping[str, LoraPart | WholePart]

COMPOSED: Parts = {"projector": WholePart(("projector",)), "lora": LoraPart("language_model")}
"""Of a vision encoder and a language model."""


class PartOf:
    """Tells of each parameter of an adapted model which part it belongs to."""

    def __init__(self, parts: Parts):
        self._whole = {
            name: [re.compile(rf"(^|\.){re.escape(module)}\.modules_to_save\.") for module in part.modules]
            for name, part in parts.items()
            if isinstance(part, WholePart)
        }
        self._lora = {
            name: re.compile(rf"(^|\.){re.escape(part.inside)}\..*lora_")
            for name, part in parts.items()
            if isinstance(part, LoraPart)
        }

    def __call__(self, name: str) -> str | None:
        """Return the part of a parameter of this name, None if it is of the frozen base."""
        if "lora_" in name:
            return next((part for part, pattern in self._lora.items() if pattern.search(name)), None)
        return next(
            (part for part, patterns in self._whole.items() if any(one.search(name) for one in patterns)),
            None,
        )


def lora_config(model: Any, parts: Parts, lora: Lora) -> LoraConfig:
    """Return PEFT's configuration of an adapter with all of `parts`.

    Raises:
        RecipeError: a name in `lora.targets` matches no linear layer.
        WeightsError: a part names a module that is not there, or that others end like.
    """
    within = [part.inside for part in parts.values() if isinstance(part, LoraPart)]
    whole = [module for part in parts.values() if isinstance(part, WholePart) for module in part.modules]
    _check_modules(model, [*within, *whole], whole)
    linear = _linear(model, within, lora.targets) if within else []
    names = "|".join(re.escape(target) for target in lora.targets)
    # A part's own name first: a vision encoder has layers of the same names as the language model.
    patterns = [rf".*\b{re.escape(inside)}\..*\b({names})" for inside in within]
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules=("|".join(patterns) or DUMMY_TARGET_MODULES),
        modules_to_save=whole or None,
        # PEFT's own class for causal language models asks for what only those of transformers have.
        task_type="CAUSAL_LM" if hasattr(model, "prepare_inputs_for_generation") else None,
        fan_in_fan_out=bool(linear)
        and all(isinstance(module, Conv1D) for module in linear),  # weights as GPT-2 has them
    )


def chosen_parts(stage: Stage, parts: Parts) -> tuple[str, ...]:
    """Return the names of what a stage trains.

    Raises:
        RecipeError: one is no part of the model.
    """
    if stage.train == (ALL_PARTS,):
        return tuple(parts)
    try:
        stage.check_parts(parts)
    except ValueError as error:
        raise RecipeError(str(error)) from None
    return stage.train


def check_frozen(model: Any, parts: Parts, frozen: nn.Module) -> None:
    """Refuse parts that would train the encoder whose features are computed once.

    Raises:
        WeightsError: a part lies in it.
    """
    inside = {id(module) for module in frozen.modules()}
    modules = dict(model.named_modules())
    for name, part in parts.items():
        for module in [part.inside] if isinstance(part, LoraPart) else part.modules:
            if id(modules.get(module)) in inside:
                raise WeightsError(
                    f"the part {name!r} lies in the vision encoder, whose features are computed once",
                    found=f"the module {module}",
                    remedy="leave it out of `vision_encoder`, which is what stays as it is",
                )


def _check_modules(model: Any, wanted: Iterable[str], whole: Iterable[str]) -> None:
    names = [name for name, _ in model.named_modules()]
    for module in wanted:
        if module not in names:
            raise WeightsError(
                f"a part that may be trained is the module {module!r}, which the model does not have",
                remedy=nearest(module, [name for name in names if name.count(".") <= module.count(".")]),
            )
    for module in whole:  # PEFT takes every module whose name ends like it
        if alike := [name for name in names if name.endswith(module) and name != module]:
            raise WeightsError(
                f"the part {module!r} cannot be told from the module {alike[0]!r}, which ends like it",
                remedy="give one of the two another name",
            )


def _linear(model: Any, within: Iterable[str], targets: tuple[str, ...]) -> list[nn.Module]:
    """Return the linear layers that the targets name.

    Raises:
        RecipeError: a name matches none.
    """
    linear = [
        (name.rsplit(".", 1)[-1], module)
        for inside in within
        for name, module in model.get_submodule(inside).named_modules()
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
