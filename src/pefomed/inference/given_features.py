"""Features of images that are given, not read from a path: each is encoded once, whoever asks about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from PIL import Image
from torch import Tensor

from pefomed.features.frozen import Features
from pefomed.models.adapter import base_of
from pefomed.models.protocol import ImageFeatures, join_features


class GivenFeatures:
    """Features (P, D) of given images by the names they get here, and of others by path."""

    def __init__(self, model: Any, processor: Any):
        self._features = Features(base_of(model), processor.image_processor, None)
        self._given: dict[str, Tensor] = {}

    def add(self, image: Image.Image) -> str:
        """Return the name of an RGB image; of two images with the same pixels it is the same."""
        name = f"given:{image.size}:{hashlib.sha256(image.tobytes()).hexdigest()}"
        if name not in self._given:
            self._given[name] = self._features.encode([image])[0]
        return name

    def length(self, name: str) -> int | None:
        """Return of how many patches an image's features are; None if it was not given here."""
        return len(self._given[name]) if name in self._given else None

    def __call__(self, names: Iterable[str]) -> ImageFeatures:
        """Return the features of the images of these names and paths, in order."""
        return join_features(
            [self._given[one] if one in self._given else self._features([one])[0] for one in names]
        )
