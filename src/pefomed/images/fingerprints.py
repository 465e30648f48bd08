"""What the audit needs to know of an image: is it the same picture, and does it look like another.

The perceptual hash is pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions,
2010) with 256 bits in place of 64, as medical images are more alike than photographs: the image shrunk to
64 x 64 grey values, its two-dimensional cosine transform, of that the 16 x 16 lowest frequencies, and of
each one bit: is it above their median? imagehash shrinks images in another way; the limits were measured
with this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pefomed.images.images import hash_of_pixels

SIDE = 64
"""Pixels a side of what the perceptual hash is made from."""

KEPT = 16
"""Frequencies a side."""

THUMBNAIL = 32
"""Pixels a side of the thumbnail."""

FLATTEST = 2.0
"""Standard deviation of the grey values, of 255, below which an image shows nothing to compare."""


@dataclass(frozen=True)
class Fingerprint:
    """What is remembered of one image."""

    pixels: str
    """SHA-256 of the decoded image: equal for the same picture in another lossless file."""
    bits: bytes
    """The perceptual hash, 32 bytes; empty if the image shows nothing (all black, for one)."""
    thumbnail: bytes
    """`THUMBNAIL` x `THUMBNAIL` grey values, row by row."""


def fingerprint(image: Image.Image) -> Fingerprint:
    """Return the fingerprint of a decoded RGB image."""
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float32)
    halves = grey.reshape(THUMBNAIL, 2, THUMBNAIL, 2).mean((1, 3))
    return Fingerprint(
        hash_of_pixels(image),
        _bits(grey) if float(grey.std()) >= FLATTEST else b"",
        np.round(halves).astype(np.uint8).tobytes(),
    )


def _bits(grey: NDArray[np.float32]) -> bytes:
    frequencies = _COSINES @ grey @ _COSINES.T
    # The mean grey value, first of all, says nothing of the picture.
    above = frequencies > np.median(frequencies.ravel()[1:])
    return np.packbits(above).tobytes()


def _cosines() -> NDArray[np.float32]:
    """Return the first `KEPT` rows of the orthonormal DCT-II of `SIDE` values."""
    frequency, place = np.arange(KEPT)[:, None], np.arange(SIDE)[None, :]
    rows: NDArray[np.float64] = np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE)) * np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


_COSINES = _cosines()
