"""FSDP: the weights of one model split over all processes, each layer gathered only while it computes.

By `torch.distributed.fsdp.fully_shard`. A decoder layer, frozen weights and LoRA together, is gathered for
its own forward and backward pass; embedding, output layer and projector are gathered for a whole pass. The
vision encoder stays whole in every process: a process encodes images that no other one has. Gradients are
averaged over the processes as DDP does it, and files hold whole tensors, so that any number can go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from peft import PeftModel
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from pefomed.errors import RecipeError
from pefomed.models.adapter import base_of, parts_of
from pefomed.models.layers import decoder_layers
from pefomed.models.parts import PartOf
from pefomed.recipe import Compute
from pefomed.startup import processes


def is_sharded(compute: Compute, precision: torch.dtype) -> bool:
    """Return whether training splits the weights: the recipe says so, and there are several processes.

    Raises:
        RecipeError: FSDP is asked for by the launcher's flags, in float16, or of a torch that is too old.
    """
    if os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true":
        raise RecipeError(
            "the recipe says whether weights are split over the processes, not the launcher",
            found="ACCELERATE_USE_FSDP, as `accelerate launch --use_fsdp` or its configuration sets it",
            remedy="launch without it and set compute.sharding = 'full'",
        )
    if compute.sharding == "none" or processes.count() == 1:
        return False
    if precision == torch.float16:
        raise RecipeError(
            "compute.sharding = 'full' does not go together with float16",
            remedy="set compute.dtype = 'bfloat16' or 'float32'",
        )
    if not hasattr(FSDPModule, "set_force_sum_reduction_for_comms"):
        raise RecipeError(
            "compute.sharding = 'full' needs a newer torch",
            found=f"torch {torch.__version__}",
            remedy="upgrade torch, or set compute.sharding = 'none'",
        )
    return True


def prepare(
    model: PeftModel, optimiser: Optimizer, accelerator: Accelerator, sharded: bool
) -> tuple[Any, Any]:
    """Return model and optimiser ready for all processes: the weights split, or DDP, or as they are alone."""
    if not sharded:
        prepared, stepping = accelerator.prepare(model, optimiser)
        return prepared, stepping
    _split(model, optimiser, accelerator.device)
    # Not `prepare`, which would wrap it in DDP: this gives precision alone.
    prepared = accelerator.prepare_model(model, device_placement=False, evaluation_mode=True)
    return prepared, accelerator.prepare_optimizer(optimiser, device_placement=False)


def no_sync(model: Any, accelerator: Accelerator) -> AbstractContextManager[None]:
    """Return a context in which backward passes keep their gradients in this process."""
    return _kept(model) if isinstance(model, FSDPModule) else accelerator.no_sync(model)


def full_tensor(tensor: Tensor) -> Tensor:
    """Return `tensor`, gathered if it is split: then every process must call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


@contextmanager
def gather_adapter(model: Any) -> Iterator[None]:
    """Let the adapter's tensors be whole and plain, to be saved; every process must enter it."""
    units = [module for module in model.modules() if isinstance(module, FSDPModule)]
    if not units:
        yield
        return
    for unit in units:
        unit.reshard()  # after a validation the outermost weights are still gathered
    part_of = PartOf(parts_of(base_of(model)))
    split = [
        (module, name, parameter)
        for path, module in model.named_modules()
        for name, parameter in module.named_parameters(recurse=False)
        if part_of(f"{path}.{name}") is not None
    ]
    try:
        for module, name, parameter in split:
            module._parameters[name] = nn.Parameter(full_tensor(parameter.detach()), parameter.requires_grad)
        yield
    finally:
        for module, name, parameter in split:
            module._parameters[name] = parameter


def moments(optimiser: Optimizer, scaler: GradScaler | None = None) -> dict[str, Any]:
    """Return the optimiser's state with whole tensors, and float16's scale; every process must call it."""
    found: dict[str, Any] = optimiser.state_dict()
    state = {
        number: {
            name: full_tensor(value) if isinstance(value, Tensor) else value for name, value in own.items()
        }
        for number, own in found["state"].items()
    }
    return found | {"state": state} | ({} if scaler is None else {"scaler": scaler.state_dict()})


def _split(model: PeftModel, optimiser: Optimizer, device: torch.device) -> None:
    """Split the weights in place, and put the split ones and their moments into `optimiser`."""
    mesh = init_device_mesh(device.type, (processes.count(),))
    base = base_of(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for layer in decoder_layers(base.language_model):
        fully_shard(layer, mesh=mesh)  # type: ignore[arg-type]
    fully_shard(model, mesh=mesh, ignored_params=set(base.vision_encoder.parameters()))
    if device.type == "cpu":
        model.set_force_sum_reduction_for_comms(True)  # type: ignore[operator]  # gloo cannot average
    found = dict(model.named_parameters())
    for group in optimiser.param_groups:
        for place, old in enumerate(group["params"]):
            new = group["params"][place] = found[names[id(old)]]
            if old in optimiser.state:
                optimiser.state[new] = {
                    name: _like(value, old, new) for name, value in optimiser.state.pop(old).items()
                }


def _like(value: Any, old: nn.Parameter, new: nn.Parameter) -> Any:
    """Return a moment split as its weight is; a count of steps as it is."""
    if not isinstance(value, Tensor) or value.shape != old.shape:
        return value
    assert isinstance(new, DTensor)
    return distribute_tensor(value.to(new.device), new.device_mesh, new.placements)


@contextmanager
def _kept(model: Any) -> Iterator[None]:
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)
