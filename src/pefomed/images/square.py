"""Pictures whose pixels are not square in the body, stretched until they are."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from pefomed.images.image_errors import check_size

TOLERANCE = 0.01
"""Up to this difference of height and width a pixel counts as square."""

MOST = 32.0
"""A larger ratio is taken for a mistake in the file and left alone."""


def squared_size(path: Path, size: tuple[int, int], spacing: tuple[float, float]) -> tuple[int, int]:
    """Return the size of `squared(path, image, spacing)` for an image of `size` (width, height).

    Raises:
        ImageError: it would be above the limits.
    """
    high, wide = spacing
    known = all(math.isfinite(value) and value > 0 for value in spacing)
    ratio = high / wide if known else 1.0
    if abs(ratio - 1) <= TOLERANCE or not 1 / MOST <= ratio <= MOST:
        return size
    width, height = size
    # The finer direction stays as it is: nothing is lost.
    width, height = (width, round(height * ratio)) if ratio > 1 else (round(width / ratio), height)
    check_size(path, width, height)
    return width, height


def squared(path: Path, image: Image.Image, spacing: tuple[float, float]) -> Image.Image:
    """Return `image` with square pixels.

    Args:
        spacing: height and width of a pixel, in any unit; NaN or 0 for unknown.

    Raises:
        ImageError: it would be above the limits.
    """
    size = squared_size(path, image.size, spacing)
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)
