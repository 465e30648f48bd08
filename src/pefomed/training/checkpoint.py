"""Checkpoints that appear whole or not at all, holding all that a stopped stage needs to go on."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer

from pefomed.errors import RunError
from pefomed.model.adapter import adapter_state, load_state, save_adapter
from pefomed.storage import as_created

KEEP = 2
"""Checkpoints kept of a stage: the newest, and one before it."""


@dataclass
class Progress:
    """How far a stage is."""

    step: int = 0
    best: float | None = None
    """Best score on the validation split so far."""
    best_step: int | None = None
    seconds: float = 0.0


def save(folder: Path, model: PeftModel, moments: dict[str, Any], progress: Progress) -> None:
    """Write `folder/step-N` by rename and remove all but the newest checkpoints.

    Args:
        moments: the optimiser's `state_dict`, of whole tensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".part-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    save_file(adapter_state(model), temporary / "adapter.safetensors")
    as_created(temporary / "adapter.safetensors")
    torch.save(moments, temporary / "optimiser.pt")
    (temporary / "progress.json").write_text(json.dumps(asdict(progress)))
    for file in temporary.iterdir():
        _sync(file)
    target = folder / f"step-{progress.step:08d}"
    shutil.rmtree(target, ignore_errors=True)
    os.replace(temporary, target)
    _sync(folder)
    for old in _all(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def restore(folder: Path, model: PeftModel, optimiser: Optimizer) -> Progress | None:
    """Load the newest checkpoint of `folder` into model and optimiser; None if there is none.

    Raises:
        RunError: the checkpoint is not of this model.
    """
    found = _all(folder)
    if not found:
        return None
    newest = found[-1]
    load_state(model, load_file(newest / "adapter.safetensors"))
    try:
        optimiser.load_state_dict(torch.load(newest / "optimiser.pt", weights_only=True))
    except ValueError as error:
        raise RunError(
            f"the checkpoint {newest} is of another optimiser",
            found=str(error),
            remedy="give the run another folder with --out, or start it anew with --fresh",
        ) from None
    return Progress(**json.loads((newest / "progress.json").read_text()))


def exists(folder: Path) -> bool:
    """Return whether `restore` would find a checkpoint in `folder`."""
    return bool(_all(folder))


def newest_step(folder: Path) -> int | None:
    """Return the step of the newest checkpoint in `folder`, None if there is none."""
    found = _all(folder)
    return int(found[-1].name.removeprefix("step-")) if found else None


def save_final(folder: Path, adapter: PeftModel | Path) -> None:
    """Write an adapter folder, a model's or a copy of another, by rename, replacing the one that is there."""
    temporary = folder.with_name(f".part-{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    if isinstance(adapter, Path):
        shutil.copytree(adapter, temporary)
    else:
        save_adapter(adapter, temporary)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.replace(temporary, folder)


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
