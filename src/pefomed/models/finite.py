"""Whether weights are numbers: one NaN among them makes every answer empty and every loss NaN.

Frozen parts are large and do not change: a part found sound is remembered by its files (place, size, times)
in the user's cache, and not read through again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from pefomed.cache import cache_folder
from pefomed.errors import StorageError, WeightsError, listed
from pefomed.files.storage import write


def not_finite(tensors: Iterable[tuple[str, Tensor]]) -> list[str]:
    """Return ``"name (3 of 1,024 numbers)"`` for every tensor that holds NaN or an infinity."""
    found = []
    for name, tensor in tensors:
        tensor = _local(tensor.detach())
        if not tensor.is_floating_point() or tensor.is_meta or not tensor.numel():
            continue
        # A sum is finite only if all its terms are: one pass, and nothing the size of the tensor is made.
        if math.isfinite(float(tensor.sum(dtype=torch.float32))):
            continue
        bad = tensor.numel() - int(torch.isfinite(tensor).sum())
        if bad:
            found.append(f"{name} ({bad:,} of {tensor.numel():,} numbers)")
    return found


def check_part(part: nn.Module, folder: Path, dtype: torch.dtype, field: str = "dtype") -> None:
    """Check a frozen part as it was loaded in `dtype` from `folder`, once for the same files.

    Args:
        field: of [compute], which chose `dtype`.

    Raises:
        WeightsError: it holds a number that is NaN or infinite.
    """
    mark = _mark(folder, dtype)
    if mark.exists():
        return
    bad = not_finite(part.state_dict().items())
    if bad:
        half = dtype == torch.float16
        raise WeightsError(
            f"the weights in {folder} hold numbers that are not finite",
            found=listed(bad),
            remedy="fetch them again or ask where they came from"
            + (f", or set compute.{field} = 'float32' if they are too large for float16" if half else ""),
        )
    try:
        write(mark, json.dumps({"folder": str(folder.resolve()), "dtype": str(dtype)}))
    except StorageError:
        return  # it is read through again next time


def check_adapter(state: Iterable[tuple[str, Tensor]], where: str) -> None:
    """Check the tensors of an adapter.

    Raises:
        WeightsError: one of them holds a number that is NaN or infinite.
    """
    bad = not_finite(state)
    if bad:
        raise WeightsError(
            f"{where} holds numbers that are not finite",
            found=listed(bad),
            remedy="its training had gone wrong: train it again, with a lower rate",
        )


def _mark(folder: Path, dtype: torch.dtype) -> Path:
    """Return where it is remembered that a folder's weights, as they are now, are sound."""
    facts: list[object] = [str(folder.resolve()), str(dtype), torch.__version__]
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".bin"):
            seen = file.stat()
            facts.append((file.name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino))
    name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
    return cache_folder() / "sound" / f"{name}.json"


def _local(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor that is split over several."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor
