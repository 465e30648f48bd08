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
from pefomed.files.storage import storage_errors, write
from pefomed.images.images import from_image
from pefomed.images.remembered import remembered_hash
from pefomed.models.family import foreign_code
from pefomed.models.feature_precision import check_range
from pefomed.models.protocol import ImageFeatures, ImageSide, VisionModel, join_features
from pefomed.progress import line
from pefomed.recipe import Compute

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
        model: VisionModel,
        images: ImageSide,
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
                about = model.feature_about() | {"format": FORMAT}
                (self._space / "about.json").write_text(json.dumps(about))

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

    def __call__(self, paths: Iterable[str]) -> ImageFeatures:
        """Return the features of the images at `paths`, in order."""
        paths = list(paths)
        return join_features(
            self._encode(paths) if self._space is None else [self._stored(one) for one in paths]
        )

    def mean(self, paths: Iterable[str]) -> Tensor:
        """Return the mean features (P, D), float32, over distinct images: the blind run's image."""
        own: Callable[[Iterable[Tensor]], Tensor] = getattr(self._model, "mean_image", mean_image)
        return own(self([path])[0] for path in dict.fromkeys(paths))

    def _hash(self, path: str) -> str:
        if path not in self._hashes:
            self._hashes[path] = remembered_hash(path)
        return self._hashes[path]

    def _encode(self, paths: list[str]) -> list[Tensor]:
        return self._encoded(from_image(path, self._images.pixels) for path in paths)

    def encode(self, images: Iterable[Image.Image]) -> ImageFeatures:
        """Return the features of RGB images, computed now and not kept.

        Raises:
            WeightsError: they are too large for float16, where they are computed in it.
        """
        return join_features(self._encoded(map(self._images.pixels, images)))

    def _encoded(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        pixels = list(tensors)
        self.computed += len(pixels)
        features = self._model.features_of(pixels)
        for one in features:
            check_range(one)
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
    model: VisionModel,
    images: ImageSide,
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
    needed = count * model.feature_bytes()
    keep = keeps(compute.feature_cache, needed, compute.cache_gib, count, uses)
    return Features(model, images, cache_folder() if keep else None, hashes)


def space(model: VisionModel, images: ImageSide) -> str:
    """Return the hash (16 hex digits) of everything the features depend on."""
    digest = hashlib.sha256()
    # Of a family from outside its code decides them too; ours is told by `FORMAT`.
    code = foreign_code(model, images)
    settings = [FORMAT, *model.feature_settings(), *images.settings(), *([code] if code else [])]
    digest.update(json.dumps(settings).encode())
    for name, tensor in sorted(model.vision_encoder.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def mean_image(features: Iterable[Tensor]) -> Tensor:
    """Return the mean (P, D), float32, of images' features (P, D): an image that says nothing of any of them.

    Of images of one length it is the mean at each place. Where lengths differ, so do the places: then each
    image counts with the mean of its own tokens, and their mean stands at every place of as many as an image
    has in the middle (the lower median).
    """
    by_place: Tensor | None = None
    by_image: Tensor | None = None
    lengths: list[int] = []
    for one in features:
        wide = one.double()
        own = wide.mean(0)
        by_image = own if by_image is None else by_image + own
        lengths.append(len(wide))
        if len(set(lengths)) == 1:
            by_place = wide if by_place is None else by_place + wide
    assert by_place is not None
    assert by_image is not None
    if len(set(lengths)) == 1:
        return (by_place / len(lengths)).float()
    middle = sorted(lengths)[(len(lengths) - 1) // 2]
    return (by_image / len(lengths)).float().expand(middle, -1)


def _file(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.safetensors"
