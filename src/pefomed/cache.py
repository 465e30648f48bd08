"""The cache folder of image features: where it is, what it holds, and making it smaller."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Space:
    """What the cache holds for one encoder and preprocessing."""

    name: str
    images: int
    bytes: int
    about: dict[str, object]


def cache_folder() -> Path:
    """Return the user's cache folder: PEFOMED_CACHE, or `pefomed` in XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("PEFOMED_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pefomed"


def keeps(setting: str, needed: float, budget_gib: float, images: int, uses: float) -> bool:
    """Return whether features are kept on disk under `compute.feature_cache` = `setting`.

    Args:
        needed: bytes of the features of all `images`.
        budget_gib: `compute.cache_gib`.
        uses: times that features are asked for; `auto` keeps them if images recur and the budget suffices.
    """
    return setting == "on" or (setting == "auto" and uses > images and needed <= budget_gib * 2**30)


def spaces(folder: Path) -> list[Space]:
    """Return what the feature cache in `folder` holds."""
    found = []
    for path in sorted((folder / "features").glob("*/")):
        files = list(path.glob("*/*.safetensors"))
        about_file = path / "about.json"
        try:
            about = json.loads(about_file.read_bytes())
        except (OSError, ValueError, RecursionError):  # says only what the space is of
            about = {}
        found.append(Space(path.name, len(files), sum(file.stat().st_size for file in files), about))
    return found


OTHERS = {
    "weights": "frozen weights, see `pefomed weights`",
    "images": "images unpacked from tables; runs point to them",
    "audit": "fingerprints of audited images",
    "sound": "which frozen weights were found to be numbers throughout",
    "hashes": "hashes of weight files, by place, size and times",
    "parity": "how kinds of language models compare with transformers' own computation",
}
"""What else is in the cache folder; pruning leaves it."""


def others(folder: Path) -> dict[str, int]:
    """Return the bytes of each part of the cache folder that is not features and is there."""
    found = {}
    for name in OTHERS:
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        if files:
            found[name] = sum(path.stat().st_size for path in files)
    return found


def prune(folder: Path, keep_bytes: int) -> tuple[int, int]:
    """Remove the longest unused features until at most `keep_bytes` remain; return (files, bytes) removed."""
    files = [(file, file.stat()) for file in (folder / "features").glob("*/*/*.safetensors")]
    files.sort(key=lambda pair: pair[1].st_mtime)
    total = sum(stat.st_size for _, stat in files)
    removed = freed = 0
    for file, stat in files:
        if total - freed <= keep_bytes:
            break
        file.unlink(missing_ok=True)
        removed, freed = removed + 1, freed + stat.st_size
    for path in (folder / "features").glob("*/"):
        if not any(path.glob("*/*.safetensors")):
            shutil.rmtree(path)
    return removed, freed
