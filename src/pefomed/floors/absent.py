"""Floors of phrases that may be nowhere in the image: what the training phrases give without looking.

    always-none          that there is no box, to every phrase
    none-or-median-box   that there is none where most training phrases of the finest key have none, else
                         the median box of the finest key

The keys are those of `boxes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pefomed.floors.boxes import Floor, PlaceKey, keys_of
from pefomed.metrics.phrase_items import PhraseItem
from pefomed.schema import Box


class NoneFloor(NamedTuple):
    """A floor's name, the box or none that it gives to each item, and how."""

    name: str
    boxes: list[tuple[Box, ...]]
    how: str
    learns: bool
    """Whether it depends on the training phrases."""


def none_floors(
    training: Sequence[PhraseItem], asked: Sequence[PhraseItem], medians: Sequence[Floor]
) -> list[NoneFloor]:
    """Return both floors, the first alone where there is no median; none where every item asked has a box.

    Args:
        medians: of `boxes.floors_of` for the same items, the finest last.
    """
    if all(item.boxes for item in asked):
        return []
    floors = [NoneFloor("floor:always-none", [()] * len(asked), "no box, whatever is asked", False)]
    if not medians[-1].learns:
        return floors
    counts: dict[PlaceKey, tuple[int, int]] = {}
    for item in training:
        for key in keys_of(item):
            none, of = counts.get(key, (0, 0))
            counts[key] = (none + (not item.boxes), of + 1)
    found: list[tuple[Box, ...]] = []
    for item, median in zip(asked, medians[-1].boxes, strict=True):
        # The coarsest key is that of every training phrase.
        none, of = counts[next(key for key in keys_of(item) if key in counts)]
        found.append(() if 2 * none > of else (median,))
    how = (
        "no box where most training phrases of the category, modality, location, side and zone have none,"
        f" else their median box; {counts[()][0]} of {len(training)} training phrases have none"
    )
    return [*floors, NoneFloor("floor:none-or-median-box", found, how, True)]
