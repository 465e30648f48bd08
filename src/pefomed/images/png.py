"""PNG files of images whose pixels may not be square in the body.

They hold the pixels as they are stored, so that boxes count in them, and the height and width of a pixel in a
text chunk of this project. `open_image` makes them square as it does those of the file they are from.
"""

from __future__ import annotations

import io
import re

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pefomed.images.square import TOLERANCE

_KEY = "pefomed:pixel"
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"


def png(image: Image.Image, spacing: tuple[float, float]) -> bytes:
    """Return an RGB image as a PNG, in grey if it is.

    Args:
        spacing: height and width of a pixel, in any unit; NaN or 0 for unknown.
    """
    red, green, blue = image.split()
    grey = red.tobytes() == green.tobytes() == blue.tobytes()
    high, wide = spacing
    about = None
    if high > 0 and wide > 0 and abs(high / wide - 1) > TOLERANCE:
        about = PngInfo()
        about.add_text(_KEY, f"{high:.6f}/{wide:.6f}")
    buffer = io.BytesIO()
    (red if grey else image).save(buffer, "PNG", compress_level=4, pnginfo=about)
    return buffer.getvalue()


def pixel_of(image: Image.Image) -> tuple[float, float]:
    """Return height and width of a pixel of an opened file; (1, 1) where this project has not said it."""
    said = image.info.get(_KEY) if image.format == "PNG" else None
    found = re.fullmatch(f"({_NUMBER})/({_NUMBER})", said) if isinstance(said, str) else None
    return (float(found[1]), float(found[2])) if found else (1.0, 1.0)
