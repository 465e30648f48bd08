"""Groups that results are given for: all items, and the items that share a meta value.

Open and closed are what the data set says (`answer_type=OPEN`), never guessed from a yes or no: in the
VQA-RAD test split that guess gives 200 / 251 questions instead of 179 / 272.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.known import ANY_BOX
from pefomed.metrics.metric import OVERALL

__all__ = ["ANY_BOX", "OVERALL", "groups_of", "is_closed", "values_of"]

FEWEST, MOST = 2, 40
"""A key with fewer or more values than this makes no groups unless it is asked for."""

LISTS = frozenset({"question_type"})
"""Keys whose value may name several, joined by commas; the item counts in each of its groups."""


def groups_of(metas: Sequence[Mapping[str, str]], keys: Sequence[str] = ()) -> dict[str, NDArray[np.int64]]:
    """Return each group's name (`overall`, `key=value`) and the positions of its items, ascending.

    Args:
        metas: the items' meta values; an item without a key is in none of that key's groups.
        keys: keys to group by, however many values they have; by default all with 2 to 40 values.
    """
    groups = {OVERALL: np.arange(len(metas))}
    for key in keys or dict.fromkeys(key for meta in metas for key in meta):
        places: dict[str, list[int]] = {}
        for place, meta in enumerate(metas):
            for value in values_of(key, meta.get(key, "")):
                places.setdefault(value, []).append(place)
        if keys or FEWEST <= len(places) <= MOST:
            groups |= {f"{key}={value}": np.array(places[value]) for value in sorted(places)}
    return groups


def values_of(key: str, text: str) -> tuple[str, ...]:
    """Return the values a meta text stands for: `PRES, POS` is two question types; empty is none."""
    parts = text.split(",") if key in LISTS else [text]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def is_closed(meta: Mapping[str, str]) -> bool:
    """Return whether the data set calls a question closed, by its meta values."""
    return meta.get("answer_type", "").upper() == "CLOSED"
