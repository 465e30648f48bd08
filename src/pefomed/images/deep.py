"""Greys of more than 8 bits as 256: scaled to the picture's own smallest and largest value, or windowed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images.addresses import ImageAddress
from pefomed.images.image_errors import not_for
from pefomed.images.windows import Counts, Grey, Values, Window, in_colour, limits_of, render, shares


def eight_bits(where: ImageAddress, image: Image.Image, negative: bool) -> Image.Image:
    """Return a grey image of 8 bits, or one in RGB where the window is three.

    Args:
        negative: 0 is white.

    Raises:
        ImageError: the window is one of Hounsfield units, or one that the file should store.
    """
    if any(each.stored is not None for each in (where.window, *where.window.channels)):
        raise not_for(
            where.file,
            "window",
            f"an image of the format {image.format}",
            "it stores no window; use CENTRE:WIDTH",
        )
    if where.window.in_hounsfield:
        raise ImageError(
            f"{where.file}: the window {where.window.text!r} is in Hounsfield units, for CT",
            found=f"the format {image.format or 'of a picture'} does not say what values are",
            remedy="use `auto`, `robust`, or CENTRE:WIDTH in the file's own values",
        )
    stored = np.asarray(image)

    def grey(window: Window) -> Grey:
        def shade(values: Values, counts: Counts) -> Values:
            share = shares(values, window, limits_of(values, counts, window))
            return 1 - share if negative else share

        return render(stored, shade)

    return Image.fromarray(in_colour(where.window, grey))
