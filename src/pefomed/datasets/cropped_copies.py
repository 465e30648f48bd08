"""Copies of training samples with boxes, their images cropped or padded a little: places vary, sides stay.

All samples of an image share its crops, so that they still share its row. A copy whose box is cut by more
than a fifth is left out: what is not in the picture cannot be found. Nothing is flipped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from pefomed import tasks
from pefomed.boxes.samples import is_absent
from pefomed.images.addresses import with_view
from pefomed.images.crop import Crop, crop_of
from pefomed.images.images import image_size
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
    sizes: dict[str, tuple[int, int]] = {}
    for sample in samples:
        if not (sample.boxes or is_absent(sample)):
            continue
        if len(sample.images) != 1 or sample.task not in tasks.HAVE_BOXES:
            continue
        [path] = sample.images
        if path not in sizes:
            sizes[path] = sample.size or image_size(path)
        for number in range(1, copies + 1):
            crop = _drawn(path, number, reach, seed)
            boxes = [crop.box(box, sizes[path], LEAST) for box in sample.boxes]
            kept = tuple(box for box in boxes if box is not None)
            if len(kept) == len(boxes):
                yield sample.model_copy(
                    update={
                        "id": f"{sample.id}+crop{number}",
                        "images": (with_view(path, f"crop={crop}"),),
                        "boxes": kept,
                        "masks": (),  # they are of the whole image
                        "size": crop.size(sizes[path]),
                    }
                )


def original(image: str) -> str:
    """Return the path of the image that a copy's `image` was cropped from."""
    return re.sub(r"[#&]crop=[^#&/]*$", "", image)


def _drawn(path: str, number: int, reach: float, seed: int) -> Crop:
    # Of the file's name and folder, not of its whole path: the same data elsewhere gives the same copies.
    name = "/".join(path.rsplit("/", 2)[-2:])
    digest = hashlib.sha256(f"{seed}\0{name}\0{number}".encode()).digest()
    shifts = [reach * (2 * int.from_bytes(digest[4 * i : 4 * i + 4], "big") / 2**32 - 1) for i in range(4)]
    edges = (shifts[0], shifts[1], 1 + shifts[2], 1 + shifts[3])
    return crop_of(":".join(f"{edge:.4f}" for edge in edges))
