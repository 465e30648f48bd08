"""Floors of boxes: what the training boxes give without looking at the image.

    whole-image                 the whole image, to every phrase
    median-box                  the coordinate-wise median of all training boxes
    median-box-category         that of the phrase's category
    median-box-category-place   that of its category, modality, location, side and zone

The medians are of training phrases with one box: of several boxes none is the answer. A key that was not
trained on falls back step by step to the coarser one: without zone, without side, category, all boxes.
Side and zone are the item's meta values, or else what its phrase says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pefomed.metrics.normalise import plain
from pefomed.metrics.phrase_items import PhraseItem
from pefomed.metrics.phrase_place import phrase_side, phrase_zone
from pefomed.schema import Box

WHOLE_IMAGE = Box(x0=0.0, y0=0.0, x1=1.0, y1=1.0)

PlaceKey = tuple[str, ...]


class Floor(NamedTuple):
    """A floor's name, the box it gives to each item, and how."""

    name: str
    boxes: list[Box]
    how: str
    learns: bool
    """Whether it depends on the training boxes."""


def floors_of(training: Sequence[PhraseItem], asked: Sequence[PhraseItem]) -> list[Floor]:
    """Return what every floor gives to the items; only the first where no training item has one box."""
    floors = [Floor("floor:whole-image", [WHOLE_IMAGE] * len(asked), "the whole image", False)]
    known = [item for item in training if len(item.boxes) == 1]
    if not known:
        return floors
    medians = _medians(known)
    count = f"of {len(known)} training phrases with one box"
    for name, first, what in (
        ("floor:median-box", 4, "median box"),
        ("floor:median-box-category", 3, "median box by category"),
        ("floor:median-box-category-place", 0, "median box by category, modality, location, side and zone"),
    ):
        chosen = [_first(keys_of(item)[first:], medians) for item in asked]
        coarser = sum(key != keys_of(item)[first] for item, key in zip(asked, chosen, strict=True))
        note = f"; {coarser} of {len(asked)} fall back to a coarser key" if coarser else ""
        floors.append(Floor(name, [medians[key] for key in chosen], f"{what} {count}{note}", True))
    return floors


def keys_of(item: PhraseItem) -> tuple[PlaceKey, ...]:
    """Return an item's keys from the finest to the coarsest, which is the same for all."""
    category = plain(item.category)
    where = tuple(plain(item.meta.get(name, "")) for name in ("modality", "location"))
    side = plain(item.meta.get("side", "")) or phrase_side(item.phrase)
    zone = plain(item.meta.get("zone", "")) or phrase_zone(item.phrase)
    fine = (category, *where)
    return (*fine, side, zone), (*fine, side), fine, (category,), ()


def _medians(items: Sequence[PhraseItem]) -> dict[PlaceKey, Box]:
    corners: dict[PlaceKey, list[tuple[float, float, float, float]]] = {}
    for item in items:
        [box] = item.boxes
        for key in keys_of(item):
            corners.setdefault(key, []).append((box.x0, box.y0, box.x1, box.y1))
    # Medians of left edges lie left of those of right edges, as each left edge does of its right one.
    found = {key: np.median(boxes, axis=0).tolist() for key, boxes in corners.items()}
    return {key: Box(x0=x0, y0=y0, x1=x1, y1=y1) for key, (x0, y0, x1, y1) in found.items()}


def _first(keys: Sequence[PlaceKey], medians: Mapping[PlaceKey, Box]) -> PlaceKey:
    """Return the finest key that was trained on; the coarsest always was."""
    return next(key for key in keys if key in medians)
