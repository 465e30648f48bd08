"""Copies of training samples with changed pictures: places, sizes, greys and sides vary, answers stay true.

All samples of an image share its changed pictures, so that they still share its row, and each picture's
features are computed once. Boxes follow; a copy whose box is cut or hidden by more than a fifth is left out:
what is not in the picture cannot be found. A mirrored copy has left and right exchanged in its words, and is
left out where these are not sure (`samples/side_words.py`). Where words tell a height or the middle (`upper`,
`center`), a copy whose edges moved is left out: that may have become untrue. What a model is chosen or scored
by is never changed.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator

from pefomed import tasks
from pefomed.boxes.samples import is_absent
from pefomed.images.addresses import address, with_view
from pefomed.images.change import KEYS, NONE, Change
from pefomed.images.crop import Crop, crop_of
from pefomed.images.images import image_size
from pefomed.recipe import Changes
from pefomed.samples.side_words import exchanged
from pefomed.schema import Sample

LEAST = 0.8
"""Share of a box that must be in the picture."""


def cropped_copies(samples: Iterable[Sample], copies: int, reach: float, seed: int) -> Iterator[Sample]:
    """Yield up to `copies` cropped copies of each sample of one image whose answer or question is boxes.

    What is nowhere in an image is in no crop of it either.

    Args:
        reach: how far an edge may lie inside or outside the image's own, as a share of the side.
        seed: of the hash that draws the edges of an image's copies.

    Raises:
        ImageError: an image is missing or damaged.
    """
    boxed = (
        sample
        for sample in samples
        if sample.task in tasks.HAVE_BOXES and (sample.boxes or is_absent(sample))
    )
    return _copies(boxed, Changes(copies=copies, crop=reach) if copies else Changes(), seed, "crop")


def changed_copies(samples: Iterable[Sample], changes: Changes, seed: int) -> Iterator[Sample]:
    """Yield up to `changes.copies` copies of each sample of one image.

    Args:
        seed: of the hash that draws the changes of an image's copies.

    Raises:
        ImageError: an image is missing or damaged.
    """
    return _copies(samples, changes, seed, "copy")


def original(image: str) -> str:
    """Return the path of the image that a copy's `image` was made from."""
    return re.sub(rf"(?:[#&](?:crop|{'|'.join(KEYS)})=[^#&/]*)+$", "", image)


def _copies(samples: Iterable[Sample], changes: Changes, seed: int, called: str) -> Iterator[Sample]:
    sizes: dict[str, tuple[int, int]] = {}
    for sample in samples if changes.copies else ():
        if len(sample.images) != 1:
            continue
        [path] = sample.images
        where = address(path)
        if where.crop or where.change != NONE:  # a part or a change of its own: no other can be said
            continue
        if path not in sizes:
            sizes[path] = sample.size or image_size(path)
        for number in range(1, changes.copies + 1):
            crop, change = _drawn(path, number, changes, seed)
            copy = _changed(sample, path, sizes[path], crop, change)
            if copy is not None:
                yield copy.model_copy(update={"id": f"{sample.id}+{called}{number}"})


def _changed(
    sample: Sample, path: str, size: tuple[int, int], crop: Crop | None, change: Change
) -> Sample | None:
    """Return the sample with its picture changed; None if it would not be true of it."""
    words: dict[str, object] = {}
    texts = (sample.question, *sample.references)
    if crop is not None and sample.task not in tasks.HAVE_BOXES and any(map(_HEIGHT.search, texts)):
        return None
    if change.flip:
        mirrored = [text for text in map(exchanged, texts) if text is not None]
        if len(mirrored) != len(texts):
            return None
        question, reference, *further = mirrored
        words = {"question": question, "reference": reference, "further_references": tuple(further)}
    now = crop.size(size) if crop else size
    boxes = [crop.box(box, size, LEAST) if crop else box for box in sample.boxes]
    kept = tuple(change.box(box, now, LEAST) if box and change != NONE else box for box in boxes)
    if sample.task in tasks.HAVE_BOXES and None in kept:
        return None
    view = [*([f"crop={crop}"] if crop else []), *change.view()]
    return sample.model_copy(
        update={
            "images": (with_view(path, "&".join(view)),),
            "boxes": tuple(box for box in kept if box is not None),
            "masks": (),  # they are of the whole image
            "size": now if sample.size or sample.task in tasks.HAVE_BOXES else None,
            **words,
        }
    )


def _drawn(path: str, number: int, changes: Changes, seed: int) -> tuple[Crop | None, Change]:
    # Of the file's name and folder, not of its whole path: the same data elsewhere gives the same copies.
    name = "/".join(path.rsplit("/", 2)[-2:])
    shares = _shares(f"{seed}\0{name}\0{number}")
    further = _shares(f"{seed}\0{name}\0{number}\0changes")
    crop = None
    if changes.crop or changes.scale:
        shifts = [changes.crop * (2 * share - 1) for share in shares[:4]]
        # A picture of what is k times as large shows 1 / k of its width.
        grown = 0.5 * (1 - 1 / (1 + changes.scale * (2 * shares[4] - 1)))
        edges = (grown + shifts[0], grown + shifts[1], 1 - grown + shifts[2], 1 - grown + shifts[3])
        crop = crop_of(":".join(f"{edge:.4f}" for edge in edges))
    border = tuple(_rounded(changes.border * share) for share in further[2:6])
    gamma = _rounded(math.pow(2, changes.contrast * (2 * further[0] - 1)))
    return crop, Change(
        (border[0], border[1], border[2], border[3]), gamma if changes.contrast else 1.0,
        further[1] < changes.flip,
    )  # fmt: skip


def _shares(key: str) -> list[float]:
    """Return eight numbers from 0 up to 1."""
    digest = hashlib.sha256(key.encode()).digest()
    return [int.from_bytes(digest[4 * i : 4 * i + 4], "big") / 2**32 for i in range(8)]


def _rounded(number: float) -> float:
    return round(number, 4)


_HEIGHT = re.compile(
    r"\b(?:upper|lower|top|bottom|topmost|lowest|highest|cent(?:er|re|ral)|middle|corner|edge|border)\b",
    re.IGNORECASE,
)
"""Words for places that a moved edge changes; of a few percent of the width left stays left."""
