"""The weights that a recipe starts from, `model.start`, under LoRA as the recipe says it.

All settings are the recipe's: rank and targets must be those of the start, alpha and dropout take effect.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel
from torch import Tensor

from pefomed.errors import RecipeError
from pefomed.models.adapter import adapter_state, add_adapter, load_state, read_adapter
from pefomed.models.legacy import base_in, import_legacy
from pefomed.recipe import Model
from pefomed.weights.constants import rotary_frequencies
from pefomed.weights.identity import check_base, read_base, say_once


def start_adapter(model: Any, recipe: Model, seed: int) -> PeftModel:
    """Wrap `model` with fresh LoRA as the recipe says it, holding the weights that `recipe.start` names.

    Raises:
        RecipeError: the start's rank or targets are not the recipe's.
        RunError, WeightsError: as `load_adapter`, or as `import_legacy` for a `.pth`.
    """
    assert recipe.start is not None
    start = Path(recipe.start)
    if start.suffix == ".pth":
        check_base(model.base_identity, base_in(start), str(start))
        wrapped = add_adapter(model, recipe.lora, seed=seed)
        state = import_legacy(start, adapter_state(wrapped), rotary_frequencies(model.language_model))
    else:
        config, state = read_adapter(start)
        check_base(
            model.base_identity, read_base(start), f"the adapter in {start}", config.base_model_name_or_path
        )
        _check_lora(config, state, recipe)
        wrapped = add_adapter(model, recipe.lora, seed=seed)
    load_state(wrapped, state)
    return wrapped


def _check_lora(config: LoraConfig, state: dict[str, Tensor], recipe: Model) -> None:
    """Compare the tensors of a start adapter with [model.lora]; alpha and dropout are the recipe's.

    Raises:
        RecipeError: rank or targets differ, or it scales its update in a way that recipes do not have.
    """
    halves = {name: tensor for name, tensor in state.items() if ".lora_A." in name}
    targets = sorted({name.partition(".lora_A.")[0].rpartition(".")[2] for name in halves})
    ranks = sorted({size for tensor in halves.values() for size in tensor.shape[:1]})
    differs = []
    if ranks != [recipe.lora.r]:
        differs.append(f"r = {', '.join(map(str, ranks)) or 'none'} instead of {recipe.lora.r}")
    if targets != sorted(set(recipe.lora.targets)):
        wanted = ", ".join(sorted(set(recipe.lora.targets)))
        differs.append(f"targets {', '.join(targets) or 'none'} instead of {wanted}")
    if differs:
        raise RecipeError(
            f"model.start: the adapter in {recipe.start} is not as [model.lora] says",
            found="; ".join(differs),
            remedy="give [model.lora] the rank and targets of the start, or choose another start",
        )
    if config.use_rslora or config.alpha_pattern:
        raise RecipeError(
            f"model.start: the adapter in {recipe.start} scales its update otherwise than by alpha / r",
            found="use_rslora" if config.use_rslora else "alpha_pattern",
            remedy="choose another start",
        )
    if config.lora_alpha != recipe.lora.alpha:
        then = str(config.lora_alpha).removesuffix(".0")
        say_once(
            f"the adapter in {recipe.start} was trained with alpha {then}; here it is"
            f" {recipe.lora.alpha:g}, as model.lora.alpha says"
        )
