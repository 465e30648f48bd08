"""Space on the disks for a run's checkpoints and for the features of its images.

A stage keeps two steps, and writes a third before it removes the oldest: adapter weights of 4 bytes and
AdamW's two moments of what is trained; adapters alone for the best of each of the three, and its end. The
run keeps one adapter more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pefomed.cache import cache_folder, keeps
from pefomed.errors import StorageError
from pefomed.models.family_description import GIB
from pefomed.models.parts import chosen_parts
from pefomed.recipe import Recipe, Stage
from pefomed.runs import RunFolder
from pefomed.training.checkpoint import KEEP
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.model import UnloadedModel


def check_space(
    recipe: Recipe, run: Path, known: UnloadedModel, images: int, findings: Findings, stages: Sequence[Stage]
) -> None:
    """Add what does not fit onto the disks to the findings, beside what the run and the cache hold already.

    Args:
        images: different ones that features may be kept of.
        stages: those not finished.
    """
    needed = checkpoint_bytes(stages, known)
    files = RunFolder(run)
    there = _size(files.stages) + _size(files.adapter) if stages else 0
    place, free = _place(run)
    if needed > free + there:
        findings.wrong(
            StorageError(
                f"the checkpoints of {run} do not fit onto its disk",
                found=f"{_shown(needed)} needed, {_shown(free + there)} free at {place}",
                remedy="free space, choose another --out, or lower model.lora.r",
            )
        )
    features = images * known.feature_bytes
    uses = 2 * images if stages else 0
    if not keeps(recipe.compute.feature_cache, features, recipe.compute.cache_gib, images, uses):
        return
    kept = _size(cache_folder() / "features")
    place, free = _place(cache_folder())
    problem = f"the image features may not fit onto the disk of {place}"
    found = f"{_shown(features)} of {images:,} images, {_shown(free)} free"
    remedy = "run `pefomed cache prune`, set PEFOMED_CACHE to another disk, or compute.feature_cache = 'off'"
    if features > free + kept:  # even if all that is kept there is of these images
        findings.wrong(StorageError(problem.replace("may", "do"), found=found, remedy=remedy))
    elif features > free:
        there_already = f"unless {_shown(features - free)} of them are there already"
        findings.doubt(f"{problem}, {there_already}: {found}; {remedy}")


def checkpoint_bytes(stages: Sequence[Stage], known: UnloadedModel) -> int:
    """Return the bytes of all that the stages keep, and of the adapter beside them."""
    sizes = {part: 4 * count for part, count in known.part_sizes.items()}
    adapter = sum(sizes.values())
    total = adapter if stages else 0
    for stage in stages:
        moments = 2 * sum(sizes[part] for part in chosen_parts(stage, known.parts))
        best = KEEP + 1 if stage.validate_split is not None else 0
        total += (KEEP + 1) * (adapter + moments) + (best + 1) * adapter
    return total


def _place(folder: Path) -> tuple[Path, int]:
    """Return the nearest folder that exists, and the bytes that are free there."""
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return place, shutil.disk_usage(place).free


def _size(folder: Path) -> int:
    found = 0
    for path, _, files in os.walk(folder):
        for file in files:
            try:
                found += os.stat(os.path.join(path, file)).st_size
            except OSError:
                continue  # removed meanwhile
    return found


def _shown(size: int) -> str:
    return f"{size / GIB:.2f} GiB" if size >= GIB / 100 else f"{size / 2**20:.2f} MiB"
