"""Frozen image features, computed once per distinct image and kept on disk.

One safetensors file an image under `<cache>/features/<space>/<first two hex>/<image hash>.safetensors`.
The space is a hash of everything the features depend on: encoder weights, layer, norm, preprocessing
and precision. Files appear by rename, so a reader never sees half of one, two processes may write the
same image, and a kill loses at most the image being written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pefomed.cache import cache_folder, keeps
from pefomed.data.pictures.images import from_image
from pefomed.data.pictures.remembered import remembered_hash
from pefomed.model.feature_precision import check_range, precision_of
from pefomed.model.modeling import PefomedForConditionalGeneration
from pefomed.model.processing import PefomedImageProcessor
from pefomed.progress import line
from pefomed.recipe import Compute
from pefomed.storage import storage_errors, write

REMEDY = (
    "free space, run `pefomed cache prune`, set PEFOMED_CACHE to another disk, or set"
    " compute.feature_cache = 'off'; what is stored stays usable"
)

FORMAT = 1
"""Raised when what is stored changes, so that older files are not read as newer ones."""


Exchange = Callable[[dict[str, str]], Iterable[dict[str, str]]]
"""Gives every process the hashes of files, by path, that each of them found."""


class Features:
    """Features (P, D) of images by path: read from disk, or computed.

    Args:
        folder: the cache folder, or None to compute the features at every call.
        hashes: of images' content by path, as far as somebody has read them already.
    """

    def __init__(
        self,
        model: PefomedForConditionalGeneration,
        images: PefomedImageProcessor,
        folder: Path | None,
        hashes: dict[str, str] | None = None,
    ):
        self._model, self._images = model, images
        self._space = None if folder is None else folder / "features" / space(model, images)
        self._hashes = {} if hashes is None else hashes
        self.computed = 0
        """Images that went through the encoder in this process."""
        if self._space is not None:
            with storage_errors(self._space, REMEDY):
                self._space.mkdir(parents=True, exist_ok=True)
                about = {"vision_layer": model.config.vision_layer, "image_size": model.config.image_size}
                (self._space / "about.json").write_text(json.dumps(about | {"format": FORMAT}))

    def prepare(
        self,
        paths: Iterable[str],
        batch: int = 8,
        share: tuple[int, int] = (0, 1),
        exchange: Exchange = lambda own: [own],
    ) -> None:
        """Make sure the features of all `paths` are on disk, computing what is missing.

        Args:
            batch: images encoded together.
            share: this process's number, and how many processes there are: each file is read for its hash
                by one of them, each image computed by one, chosen by its content. They must wait for each
                other afterwards.
            exchange: takes what this process found and returns what all of them did; without it every
                process reads every file.

        Raises:
            ImageError: an image is missing, truncated or too large.
            StorageError: the disk is full; what is already stored stays usable.
        """
        if self._space is None:
            return
        distinct = list(dict.fromkeys(paths))
        for found in exchange({path: self._hash(path) for path in distinct[share[0] :: share[1]]}):
            self._hashes |= found
        missing: dict[str, str] = {}
        for path in distinct:
            key = self._hash(path)
            mine = int(key[:8], 16) % share[1] == share[0]
            if mine and not _file(self._space, key).exists():
                missing.setdefault(key, path)
        if not missing:
            return
        items = list(missing.items())
        with line("encoding images", len(items), "images") as shown:
            for start in range(0, len(items), batch):
                chunk = items[start : start + batch]
                features = self._encode([path for _, path in chunk])
                for (key, _), one in zip(chunk, features, strict=True):
                    self._write(key, one)
                shown.advance(len(chunk))

    def __call__(self, paths: Iterable[str]) -> Tensor:
        """Return the features (S, P, D) of the images at `paths`, in order."""
        paths = list(paths)
        if self._space is None:
            return self._encode(paths)
        return torch.stack([self._stored(path) for path in paths])

    def mean(self, paths: Iterable[str]) -> Tensor:
        """Return the mean features (P, D), float32, over distinct images: the blind run's image."""
        total: Tensor | None = None
        distinct = list(dict.fromkeys(paths))
        for path in distinct:
            one = self([path])[0].double()
            total = one if total is None else total + one
        assert total is not None
        return (total / len(distinct)).float()

    def _hash(self, path: str) -> str:
        if path not in self._hashes:
            self._hashes[path] = remembered_hash(path)
        return self._hashes[path]

    def _encode(self, paths: list[str]) -> Tensor:
        return self._encoded(from_image(path, self._images.pixels) for path in paths)

    def encode(self, images: Iterable[Image.Image]) -> Tensor:
        """Return the features (S, P, D) of RGB images, computed now and not kept.

        Raises:
            WeightsError: they are too large for float16, where they are computed in it.
        """
        return self._encoded(map(self._images.pixels, images))

    def _encoded(self, tensors: Iterable[Tensor]) -> Tensor:
        pixels = torch.stack(list(tensors))
        device = next(self._model.vision_encoder.parameters()).device
        self.computed += len(pixels)
        # A product's last bits depend on how many images are in it. On a CPU one at a time costs nothing,
        # and an image's features are the same bits whichever images were computed before a kill.
        size = 1 if device.type == "cpu" else len(pixels)
        parts = [self._model.encode_images(part.to(device)).cpu() for part in pixels.split(size)]
        features = torch.cat(parts)
        check_range(features)
        return features

    def _stored(self, path: str) -> Tensor:
        assert self._space is not None
        key = self._hash(path)
        file = _file(self._space, key)
        try:
            with safe_open(file, framework="pt") as stored:  # memory-mapped
                features: Tensor = stored.get_tensor("features")
            return features
        except (SafetensorError, OSError):
            # Absent, pruned meanwhile, or damaged by something outside us: computed and written again.
            features = self._encode([path])[0]
            self._write(key, features)
            return features

    def _write(self, key: str, features: Tensor) -> None:
        if self._space is None:
            return
        write(_file(self._space, key), save({"features": features.clone()}), REMEDY)


def open_features(
    model: PefomedForConditionalGeneration,
    images: PefomedImageProcessor,
    compute: Compute,
    count: int,
    uses: int,
    hashes: dict[str, str] | None = None,
) -> Features:
    """Return the features of `count` images that will be asked for `uses` times, cached as the recipe says.

    `auto` keeps them on disk if images recur and their size is within the budget.

    Args:
        hashes: see `Features`.
    """
    config = model.config
    size = precision_of(model.vision_encoder).itemsize
    needed = count * config.grid**2 * config.feature_width * size
    keep = keeps(compute.feature_cache, needed, compute.cache_gib, count, uses)
    return Features(model, images, cache_folder() if keep else None, hashes)


def space(model: PefomedForConditionalGeneration, images: PefomedImageProcessor) -> str:
    """Return the hash (16 hex digits) of everything the features depend on."""
    config = model.config
    digest = hashlib.sha256()
    settings = [
        FORMAT,
        config.vision_config.model_type,
        config.image_size,
        config.vision_layer,
        config.feature_norm,
        images.resize,
        images.image_mean,
        images.image_std,
    ]
    digest.update(json.dumps(settings).encode())
    for name, tensor in sorted(model.vision_encoder.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def _file(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.safetensors"
