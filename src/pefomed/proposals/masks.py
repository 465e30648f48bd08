"""A proposal for a folder of masks: which values they have, and what these may be called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from pefomed.errors import DataError, listed
from pefomed.files.files import read_json
from pefomed.proposals.proposal import Proposal, ProposedChoice

FOLDERS = re.compile(r"masks?|labels?(?:Tr|Ts)?|segmentations?|segs?|annotations?|gt", re.IGNORECASE)
"""What a folder of masks is called."""

PICTURES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".nii", ".nii.gz")
MOST = 20
"""Masks that are looked at."""


def masks_in(folder: Path) -> list[Path]:
    """Return the masks of a folder, or of those in it that are called as splits, the first of them."""
    if not folder.is_dir():
        return []
    return [one for one in sorted(folder.rglob("*"))[:2000] if one.name.lower().endswith(PICTURES)][:MOST]


def add_masks(proposal: Proposal, root: Path, folder: Path, masks: list[Path]) -> None:
    """Say in a proposal what the values of masks mean, as far as a file says it; else ask."""
    if folder.name != "masks":
        proposal.set("masks", folder.name, "pictures are in there, and it is called so")
    values = sorted({value for path in masks if not _is_volume(path) for value in _values(path)})
    named = _named(root)
    if named:
        proposal.set("labels", named, "as dataset.json says")
    elif len(values) > 1:
        each = {str(value): f"name of {value}" for value in values}
        why = f"the masks have the values {listed([str(value) for value in values], most=8)}"
        proposal.ask("labels", why, ProposedChoice(each, "each value is a label: write the names there"))
    else:
        what = f"the one value {values[0]}" if values else "values that were not looked at"
        proposal.ask(
            "phrase",
            f"the masks have {what} beside 0",
            ProposedChoice("mass", "write there what they are of"),
        )
    proposal.ask(
        "parts", "a label of several pieces is one box around all",
        ProposedChoice("component", "one box around each piece"), needed=False,
    )  # fmt: skip


def _named(folder: Path) -> dict[str, str]:
    """Return the names that an nnU-Net's dataset.json gives the values."""
    try:
        said = read_json(folder / "dataset.json")
    except DataError:  # there is none
        return {}
    labels = said.get("labels") if isinstance(said, dict) else None
    if not isinstance(labels, dict):
        return {}
    pairs = [(str(key), value) if str(key).isdigit() else (str(value), key) for key, value in labels.items()]
    return {key: str(name) for key, name in pairs if key.isdigit() and key != "0"}


def _values(path: Path) -> Iterator[int]:
    try:
        with Image.open(path) as picture:
            if picture.mode in ("P", "L", "1", "I;16", "I") and picture.width * picture.height < 100_000_000:
                yield from (int(value) for value in np.unique(np.asarray(picture))[:300] if value)
    except (OSError, ValueError, Image.DecompressionBombError):  # the loader names it
        return


def _is_volume(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))
