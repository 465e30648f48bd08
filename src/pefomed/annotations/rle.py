"""Run-length codes of masks as COCO writes them: the mask, and the box of its pixels.

    {"size": [height, width], "counts": [12, 3, 9]}     12 pixels outside, 3 inside, 9 outside
    {"size": [height, width], "counts": "<39"}          the same, compressed

Pixels run down the columns, from the left. A compressed count is written in characters of five bits, the
least significant first: code - 48, bit 5 says that more follow, bit 4 of the last is the sign; from the
fourth count on it is the difference to the one before last (cocodataset/cocoapi, `maskApi.c`). pycocotools
takes memory for whatever size a file claims, and does not mind counts beyond it; a box needs no mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.box_numbers import Fault, Size
from pefomed.annotations.mask_bounds import Bounds
from pefomed.images.image_errors import PIXEL_LIMIT

Mask = NDArray[np.bool_]
"""Shape (height, width)."""


def is_rle(value: Any) -> bool:
    """Return whether a value of a JSON file is a run-length code."""
    return isinstance(value, Mapping) and "counts" in value and "size" in value


def rle_bounds(code: Mapping[str, Any]) -> Bounds | Fault | None:
    """Return the box of the pixels inside, None where there are none, or what is wrong with the code."""
    read = _read(code)
    if isinstance(read, Fault):
        return read
    counts, (_, height) = read
    ends = np.cumsum(counts)
    starts, ends = ends[: len(counts) // 2 * 2 : 2], ends[1::2]
    first, last = starts[starts < ends], ends[starts < ends] - 1
    if not len(first):
        return None
    # A run that goes on in the next column holds the last row and the first.
    whole = bool((first // height != last // height).any())
    top, bottom = (0, height) if whole else (int((first % height).min()), int((last % height).max()) + 1)
    return int(first[0] // height), top, int(last[-1] // height) + 1, bottom


def rle_mask(code: Mapping[str, Any]) -> Mask | Fault:
    """Return the mask (height, width), True inside, or what is wrong with the code."""
    read = _read(code)
    if isinstance(read, Fault):
        return read
    counts, (width, height) = read
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def rle_text(mask: Mask) -> str:
    """Return the compressed code of a mask (height, width)."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), len(flat)]).tolist()
    return _compressed([0, *counts] if len(flat) and flat[0] else counts)


def as_text(code: Mapping[str, Any]) -> str | Fault | None:
    """Return a code compressed, None where nothing is inside, or what is wrong with it."""
    read = _read(code)
    if isinstance(read, Fault):
        return read
    counts, _ = read
    if not any(counts[1::2]):
        return None
    return code["counts"] if isinstance(code["counts"], str) else _compressed(counts)


def rle_size(code: Mapping[str, Any]) -> Size | Fault:
    """Return width and height of a code's image, or what is wrong with them."""
    size = code["size"]
    whole = isinstance(size, list) and all(type(side) is int and side > 0 for side in size)
    if not whole or len(size) != 2 or size[0] * size[1] > PIXEL_LIMIT:
        return Fault("a run-length code needs the size [height, width] of its image", f"{size!r:.80}")
    return size[1], size[0]


def _read(code: Mapping[str, Any]) -> tuple[list[int], Size] | Fault:
    size = rle_size(code)
    if isinstance(size, Fault):
        return size
    counts = _counts(code["counts"])
    if isinstance(counts, list) and sum(counts) != size[0] * size[1]:
        found = f"{sum(counts):,} pixels, in an image of {size[0]} x {size[1]}"
        return Fault("a run-length code does not cover its image", found)
    return counts if isinstance(counts, Fault) else (counts, size)


def _counts(counts: Any) -> list[int] | Fault:
    if isinstance(counts, str):
        return _uncompressed(counts)
    if isinstance(counts, list) and all(type(count) is int and 0 <= count <= PIXEL_LIMIT for count in counts):
        return counts
    return Fault("the counts of a run-length code are a text, or whole numbers from 0", f"{counts!r:.80}")


def _compressed(counts: list[int]) -> str:
    found = []
    for place, count in enumerate(counts):
        value = count - (counts[place - 2] if place > 2 else 0)
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            found.append(chr(48 + (bits | 32 * more)))
    return "".join(found)


def _uncompressed(text: str) -> list[int] | Fault:
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > _MOST_BITS:
            return Fault("the text of a run-length code is damaged", f"{character!r} in {text!r:.80}")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        value += found[-2] if len(found) > 2 else 0
        if not 0 <= value <= PIXEL_LIMIT:
            return Fault("the text of a run-length code is damaged", f"the count {value} in {text!r:.80}")
        found.append(value)
        value = shift = 0
    return found if not shift else Fault("the text of a run-length code is cut", f"{text[-80:]!r}")


_MOST_BITS = 30
