"""How well readers agree where each drew boxes of the same finding: the most that a model can be expected to.

Each reader's boxes are scored as an answer to the next one's, in a circle: of two or three readers every pair
counts alike. Items that one reader alone drew have no such answer and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.annotations.box_readers import META
from pefomed.metrics.normalise import plain
from pefomed.metrics.phrase_items import PhraseItem
from pefomed.schema import Box, Sample


def others_boxes(items: Sequence[PhraseItem], samples: Sequence[Sample]) -> dict[int, tuple[Box, ...]]:
    """Return for each place in `items` that several readers drew the boxes of the next of them.

    Args:
        samples: what the items are of.
    """
    groups: dict[tuple[object, ...], dict[str, int]] = {}
    for place, item in enumerate(items):
        sample, reader = samples[item.place], item.meta.get(META)
        if reader:
            key = (sample.images, sample.task, plain(item.phrase), plain(item.category), item.occurrence)
            groups.setdefault(key, {})[reader] = place
    by_place = {}
    for by_reader in groups.values():
        places = list(by_reader.values())
        for place, other in zip(places, [*places[1:], places[0]], strict=True):
            if place != other:
                by_place[place] = items[other].boxes
    return dict(sorted(by_place.items()))
