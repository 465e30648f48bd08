"""Random selection in which every item is equally likely and like items seldom come together.

Local pivotal method (Grafström, Lundström and Schelin, "Spatially balanced sampling through the pivotal
method", Biometrics 68, 2012), with the number of differing features as distance: an item and its most
similar undecided neighbour settle between themselves who takes the other's chance. The chances are kept
as integers in units of 1/N, so that they stay exact and a seed gives the same choice on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 2_000
"""From more items, this many (or twice what is wanted) are first drawn at random: time grows with N^2."""


def spread(features: Sequence[Sequence[Hashable]], wanted: int, draw: random.Random) -> list[int]:
    """Return the ascending positions of `wanted` items; each is chosen with the chance wanted / N.

    Args:
        features: (N, F) values that are equal or not, e.g. organ, question type, image.

    Raises:
        ValueError: `wanted` is negative or more than N.
    """
    if not 0 <= wanted <= len(features):
        raise ValueError(f"{wanted} of {len(features)} items cannot be chosen")
    places = list(range(len(features)))
    if wanted in (0, len(features)):
        return places[:wanted]
    most = max(MOST, 2 * wanted)
    if len(places) > most:
        places = draw.sample(places, most)
    codes = _codes([features[place] for place in places])
    return sorted(places[row] for row in _pivotal(codes, wanted, draw))


def _codes(features: Sequence[Sequence[Hashable]]) -> NDArray[np.int64]:
    columns = []
    for values in zip(*features, strict=True):
        known: dict[Hashable, int] = {}
        columns.append([known.setdefault(value, len(known)) for value in values])
    return np.array(columns, dtype=np.int64).T.reshape(len(features), -1)  # (N, F)


def _pivotal(codes: NDArray[np.int64], wanted: int, draw: random.Random) -> list[int]:
    whole = len(codes)
    chance = [wanted] * whole  # in units of 1 / whole
    undecided = np.arange(whole)
    while len(undecided) > 1:
        first = draw.randrange(len(undecided))
        drawn = int(undecided[first])
        distance = (codes[undecided] != codes[drawn]).sum(axis=1)
        distance[first] = codes.shape[1] + 1
        nearest = np.flatnonzero(distance == distance.min())
        other = int(undecided[nearest[draw.randrange(len(nearest))]])
        chance[drawn], chance[other] = _settled(chance[drawn], chance[other], whole, draw)
        open_ = [item for item in (drawn, other) if 0 < chance[item] < whole]
        closed = [item for item in (drawn, other) if item not in open_]
        undecided = undecided[~np.isin(undecided, closed)]
    # The chances add up to `wanted`, so the last undecided one is at 0 or at 1.
    return [item for item, value in enumerate(chance) if value == whole]


def _settled(one: int, other: int, whole: int, draw: random.Random) -> tuple[int, int]:
    """Return both chances after one of the two is decided; their sum and their means are kept."""
    both = one + other
    if both < whole:
        return (both, 0) if draw.randrange(both) < one else (0, both)
    rest = 2 * whole - both
    if draw.randrange(rest) < whole - other:
        return whole, both - whole
    return both - whole, whole
