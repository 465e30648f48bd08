"""The tensors of a `.pth` file: read without running any of it, whatever a trainer has wrapped them in."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pefomed.errors import WeightsError, listed

WRAPPERS = ("model", "state_dict", "model_state_dict", "module")
"""Keys that trainers put a model's tensors under."""

BESIDE = frozenset(
    "args config epoch global_step iter iters lr_scheduler optimizer scaler scheduler step".split()
)
"""What trainers write beside the tensors; nothing of it is asked for."""

_PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and torch.compile

# what torch's reader raises for files that are cut or were never pickles
_UNREADABLE = (
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


def read_pth(path: Path, remedy: str) -> dict[str, Tensor]:
    """Return the tensors of a `.pth` by name, without the prefixes of wrappers; on the CPU.

    They lie under one of `WRAPPERS` or make up the file.

    Raises:
        WeightsError: the file is missing, damaged, no `.pth`, holds code, or more than whole tensors.
    """
    tensors = _tensors(load_pth(path, remedy), path, remedy)
    others = [name for name, value in tensors.items() if not _is_whole(value)]
    if others:
        raise WeightsError(f"{path} holds more than tensors", found=listed(others), remedy=remedy)
    named = {_plain(name): tensor.detach() for name, tensor in tensors.items()}
    if len(named) < len(tensors):
        twice = [name for name in tensors if _plain(name) != name and _plain(name) in tensors]
        raise WeightsError(f"{path} holds tensors twice", found=listed(twice), remedy=remedy)
    return named


def load_pth(path: Path, remedy: str) -> Any:
    """Return whatever a `.pth` holds, as long as it is tensors, numbers, texts, and lists and dicts of these.

    Raises:
        WeightsError: as `read_pth`.
    """
    if not path.is_file():
        raise WeightsError(f"no file {path}", remedy="give the path of a `.pth` file")
    if damaged := _damaged_member(path):  # torch does not look at the checksums that the file has
        raise WeightsError(f"{path} is damaged", found=damaged, remedy="copy or fetch it again")
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickle versions; the errors say enough
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        called = re.search(r"(?:GLOBAL|class) ([\w.]*\w)", str(error))
        raise WeightsError(
            f"{path} is a pickle with more than tensors in it; nothing of it was run",
            found=called[1] if called else "instructions that tensors do not need",
            remedy="do not trust the file; have its author save the tensors alone",
        ) from None
    except _UNREADABLE as error:
        found = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise WeightsError(f"{path} cannot be read as a `.pth` file", found=found, remedy=remedy) from None


def _damaged_member(path: Path) -> str:
    """Return which part of a zip is not as it was written; nothing if all are, or if it is no zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist())
            bad = None if packed else archive.testzip()  # torch packs nothing; what is packed may be a bomb
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return ""  # an older kind of file, or one that torch refuses
    return "" if bad is None else f"{bad} is not as it was written"


def _tensors(loaded: Any, path: Path, remedy: str) -> dict[str, Any]:
    """Return what should be tensors: under a wrapper's key, else the file's own entries.

    Raises:
        WeightsError: there is neither.
    """
    if isinstance(loaded, Mapping):
        for key in WRAPPERS:
            if isinstance(loaded.get(key), Mapping) and loaded[key]:
                return {str(name): value for name, value in loaded[key].items()}
        if any(isinstance(value, Tensor) for value in loaded.values()):
            return {str(name): value for name, value in loaded.items() if name not in BESIDE}
        found = ", ".join(map(str, list(loaded)[:5])) or "an empty dict"
    else:
        found = type(loaded).__name__
    raise WeightsError(f"{path} has no tensors, and no key `model` of tensors", found=found, remedy=remedy)


def _is_whole(value: Any) -> bool:
    """Return whether a value is a tensor whose numbers are all there: few bytes can stand for very many."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return False
    if value.is_quantized or value.is_complex():
        return False
    return not value.is_meta and value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _plain(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name
