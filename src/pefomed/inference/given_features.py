"""Features of images that are given, not read from a path: each is encoded once, whoever asks about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pefomed.features.frozen import Features
from pefomed.model.adapter import base_of


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

    def __call__(self, names: Iterable[str]) -> Tensor:
        """Return the features (S, P, D) of the images of these names and paths, in order."""
        return torch.stack(
            [self._given[one] if one in self._given else self._features([one])[0] for one in names]
        )
