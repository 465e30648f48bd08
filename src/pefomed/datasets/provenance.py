"""Whether a data set's images and texts may leave this machine, as far as its card says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pefomed.datasets import LOADERS, card
from pefomed.errors import RecipeError
from pefomed.runs import RunFolder

Provenance = Literal["open", "restricted", "unknown"]

OWN = frozenset(
    {"coco", "conversations", "derived", "hugging_face", "labelme", "masks", "table", "voc", "yolo"}
)
"""Loaders of the user's own files: their card cannot say whether the text may leave the machine."""


def provenance(run: Path, dataset: str) -> Provenance:
    """Return what the card of a run's data set says; `unknown` without a recipe or without a card."""
    loader = loader_in(run, dataset)
    return provenance_of_loader(loader) if loader else "unknown"


def provenance_of_loader(loader: str) -> Provenance:
    """Return what the card beside a loader says, `unknown` where there is none."""
    try:
        about = card(loader)
    except RecipeError:  # a loader of somebody else's that is not installed here
        return "unknown"
    if about is None or loader in OWN:
        return "unknown"
    return "restricted" if about.restricted else "open"


def provenance_in_words(run: Path, dataset: str) -> str:
    """Return the same as a sentence's part, with the licence of what is open.

    Only our own loaders are asked: this runs nobody else's code.
    """
    loader = loader_in(run, dataset)
    kind = provenance_of_loader(loader) if loader in LOADERS else "unknown"
    if kind == "open" and (about := card(loader)):
        return about.licence
    if kind == "restricted":
        return "restricted: must not leave this machine"
    return "not known whether it is restricted"


def loader_in(run: Path, dataset: str) -> str:
    """Return what reads the data set that a run's recipe calls `dataset`; empty where it does not say."""
    recipe = RunFolder(run).read_recipe()
    known = recipe.data if recipe else {}
    return known[dataset].loader if dataset in known else ""
