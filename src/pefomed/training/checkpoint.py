"""Checkpoints that appear whole or not at all, holding all that a stopped stage needs to go on.

A stage's folder holds `step-N`, the newest two; `best-N`, the adapters that these call the best so far; and
`final`, what the stage ended with. Each is sealed with checksums. A checkpoint that is damaged, or whose best
is, is left for the one before it: its steps are done again and end in the same bits.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from safetensors.torch import save as as_safetensors
from torch.amp import GradScaler
from torch.optim import Optimizer

from pefomed.errors import RunError
from pefomed.files import checksums
from pefomed.files.storage import storage_errors, write
from pefomed.models.adapter import adapter_state, load_state, save_adapter
from pefomed.runs.lock import check_held
from pefomed.training.averaging import RunningMean

PLAN = "unreadable.json"
"""What the stage was planned without, if anything; each checkpoint has a copy."""

KEEP = 2
"""Checkpoints kept of a stage: the newest, and one before it."""


@dataclass
class StageProgress:
    """How far a stage is."""

    step: int = 0
    best: float | None = None
    """Best score on the validation split so far."""
    best_step: int | None = None
    seconds: float = 0.0
    best_loss: float | None = None
    """Validation loss of the best."""
    validations: int = 0


def save(folder: Path, model: PeftModel, moments: dict[str, Any], progress: StageProgress) -> None:
    """Write `folder/step-N` by rename and remove all but the newest checkpoints.

    Args:
        moments: the optimiser's `state_dict`, of whole tensors, under `scaler` that of float16's scaler, and
            under `mean` the weights' running mean, if there is one.

    Raises:
        StorageError: the disk is full or cannot be written; what was there before is as it was.
    """
    with _made(folder / _name("step", progress.step)) as made:
        # Made in memory and written by us: libraries wrap a full disk in errors of their own.
        write(made / "adapter.safetensors", as_safetensors(adapter_state(model)))
        buffer = io.BytesIO()
        torch.save(moments, buffer)
        write(made / "optimiser.pt", buffer.getvalue())
        write(made / "progress.json", json.dumps(asdict(progress)))
        if (folder / PLAN).is_file():
            write(made / PLAN, (folder / PLAN).read_bytes())
    kept = _all(folder)[-KEEP:]
    called_best = {_best_step(one) for one in kept}
    for old in folder.glob("step-*"):
        if old not in kept:
            shutil.rmtree(old, ignore_errors=True)
    for old in folder.glob("best-*"):
        if _step(old) not in called_best:
            shutil.rmtree(old, ignore_errors=True)


def find(folder: Path, say: Callable[[str], None]) -> Path | None:
    """Return the newest whole checkpoint of `folder`, None if there is none; remove and name damaged ones."""
    for one in reversed(_all(folder)):
        wrong = _damage(one)
        if not wrong:
            return one
        shutil.rmtree(one, ignore_errors=True)
        before = _all(folder)
        then = f"step {_step(before[-1])}" if before else "the beginning of the stage"
        say(f"checkpoint {one} is damaged ({wrong}); going on from {then}")
    return None


def copy_of_plan(folder: Path) -> Path | None:
    """Return `PLAN` as the newest whole checkpoint has it, None if none does."""
    whole = (one for one in reversed(_all(folder)) if not checksums.damage(one))
    return next((one / PLAN for one in whole if (one / PLAN).is_file()), None)


def restore(
    found: Path,
    model: PeftModel,
    optimiser: Optimizer,
    scaler: GradScaler | None = None,
    mean: RunningMean | None = None,
) -> StageProgress:
    """Load the checkpoint `found` into model, optimiser, float16's scaler and the weights' running mean.

    Raises:
        RunError: the checkpoint is not of this model.
    """
    load_state(model, load_file(found / "adapter.safetensors"))
    try:
        moments = torch.load(found / "optimiser.pt", weights_only=True)
        optimiser.load_state_dict(moments)
        if scaler is not None and moments.get("scaler"):  # older checkpoints have none: it begins anew
            scaler.load_state_dict(moments["scaler"])
        if mean is not None:
            mean.restore(moments.get("mean"))
    except ValueError as error:
        raise RunError(
            f"the checkpoint {found} is of another optimiser",
            found=str(error),
            remedy="give the run another folder with --out, or start it anew with --fresh",
        ) from None
    return _read_progress(found)


def exists(folder: Path) -> bool:
    """Return whether `folder` holds a checkpoint, whole or damaged."""
    return bool(_all(folder))


def newest_step(folder: Path) -> int | None:
    """Return the step of the newest checkpoint in `folder`, None if there is none."""
    found = _all(folder)
    return _step(found[-1]) if found else None


def save_best(folder: Path, model: PeftModel, step: int) -> None:
    """Write `folder/best-N`; it is removed once no checkpoint calls it the best.

    Raises:
        StorageError: as `save`.
    """
    save_final(folder / _name("best", step), model)


def best(folder: Path, progress: StageProgress) -> Path | None:
    """Return the adapter folder that `progress` calls the best, if it has one.

    Raises:
        RunError: it is gone or damaged.
    """
    if progress.best_step is None:
        return None
    found = folder / _name("best", progress.best_step)
    if wrong := checksums.damage(found):
        raise RunError(
            f"the best adapter of the stage, {found}, is damaged",
            found=wrong,
            remedy="give the same command again: it goes on from the last whole checkpoint",
        )
    return found


def save_final(folder: Path, adapter: PeftModel | Path) -> None:
    """Write a sealed adapter folder by rename, a model's or a copy of another; one that is there is replaced.

    Raises:
        StorageError: as `save`.
    """
    with _made(folder) as made:
        if isinstance(adapter, Path):
            shutil.copytree(adapter, made, dirs_exist_ok=True)
        else:
            save_adapter(adapter, made)


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """Give a new folder that is sealed and gets the name `folder` when the block ends; else it is removed."""
    check_held()
    temporary = folder.with_name(f".part-{folder.name}-{os.getpid()}")
    with storage_errors(folder):
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            yield temporary
            checksums.seal(temporary)
            for file in temporary.iterdir():
                _sync(file)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(temporary, folder)
            _sync(folder.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _damage(one: Path) -> str:
    """Return what is wrong with a checkpoint or with the adapter that it calls the best; else nothing."""
    if wrong := checksums.damage(one):
        return wrong
    step = _best_step(one)
    if step is not None and (wrong := checksums.damage(one.with_name(_name("best", step)))):
        return f"its best adapter, {_name('best', step)}: {wrong}"
    return ""


def _best_step(one: Path) -> int | None:
    try:
        return _read_progress(one).best_step
    except (OSError, ValueError, TypeError, RecursionError):  # a damaged one, which calls nothing the best
        return None


def _read_progress(one: Path) -> StageProgress:
    return StageProgress(**json.loads((one / "progress.json").read_text(encoding="utf-8")))


def _name(kind: str, step: int) -> str:
    return f"{kind}-{step:08d}"


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
