"""Memory that training and prediction are estimated to need, and what this machine or its card has."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import torch

from pefomed.models import device as devices
from pefomed.models.family_description import GIB
from pefomed.recipe import Recipe
from pefomed.startup import processes
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.model import UnloadedModel

_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where Linux says what a container may use and uses."""


def check_memory(recipe: Recipe, known: UnloadedModel, findings: Findings) -> None:
    """Say that the memory may not suffice: the need is an estimate, so it is never an error."""
    memory = known.described["memory"]
    where = devices.device(recipe.compute)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes.count()))
    if where.type == "cuda":
        free, name = torch.cuda.mem_get_info(where)[0], f"the memory of {torch.cuda.get_device_name(where)}"
        share = 1
    else:
        free, name = available(), "the memory"
        share = here
    if recipe.compute.sharding == "full":
        share = 1
    for what, key in (("training", "training_gib"), ("prediction", "inference_gib")):
        needed = memory[key] * share
        if needed * GIB > free and (what == "prediction" or recipe.stages):
            findings.doubt(
                f"{name} may not suffice for {what}: about {needed:.1f} GiB needed, {free / GIB:.1f} GiB"
                " free; lower batch_tokens or predict.batch_questions, set compute.gradient_checkpointing"
                " = true, or see `pefomed describe`"
            )


def available() -> int:
    """Return the bytes that this process may still get: of the machine, or of its container."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _GROUPS:
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such group, or no limit
            continue
    return max(free, 0)
