"""Floor of boxes that does look at the image: the boxes of its category in the most similar training image.

Images are compared as the audit's thumbnails, 32 x 32 grey values, by their correlation; nothing of the
picture's content is understood. Where slices of one scan, or several images of one patient, stand in both
splits, this copies from a near duplicate: what it reaches is what recognising an image is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.cache import cache_folder
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.metrics.normalise import plain
from pefomed.metrics.phrase_items import PhraseItem
from pefomed.schema import Box

NEAREST_IMAGE = (
    "the boxes of the category in the training image whose 32 x 32 grey thumbnail correlates most;"
    " of any category where none has it"
)
"""What the floor is, as its scores' `implementation` says it."""

Thumbnails = NDArray[np.float32]


def nearest_image(
    training: Sequence[PhraseItem], known: Thumbnails, asked: Sequence[PhraseItem], seen: Thumbnails
) -> list[tuple[Box, ...]]:
    """Return the boxes of a training item for each item asked about.

    Args:
        known: the training items' images, (T, D), each row of length 1; T > 0.
        seen: those of the items asked about, (A, D), likewise.
    """
    places: dict[str, list[int]] = {}
    for place, item in enumerate(training):
        places.setdefault(plain(item.category), []).append(place)
    everywhere = list(range(len(training)))
    asked_of: dict[str, list[int]] = {}
    for place, item in enumerate(asked):
        asked_of.setdefault(plain(item.category), []).append(place)
    found: list[tuple[Box, ...]] = [()] * len(asked)
    for category, questions in asked_of.items():
        candidates = places.get(category, everywhere)
        likeness = seen[questions] @ known[candidates].T
        # argmax keeps the first of equals: the earlier in the training data.
        for question, best in zip(questions, likeness.argmax(axis=1), strict=True):
            found[question] = training[candidates[best]].boxes
    return found


def thumbnails(images: Sequence[str]) -> Thumbnails:
    """Return the images' thumbnails (N, 1024) without their mean and of length 1; zeros for a flat one.

    Raises:
        ImageError: one of them cannot be read.
        StorageError: the cache cannot be written.
    """
    known = Fingerprints(cache_folder())
    try:
        known.read(images)
        for error in known.unreadable.values():
            raise error
        stored = known.thumbnails([known.pixels[image] for image in images])
    finally:
        known.close()
    rows = np.stack([np.frombuffer(stored[known.pixels[image]], np.uint8) for image in images])
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    scaled: Thumbnails = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return scaled
