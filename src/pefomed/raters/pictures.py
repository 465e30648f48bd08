"""Images as raters get them: decoded and written anew, so that nothing but pixels leaves the file."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

from PIL import Image

from pefomed.images.images import from_image

LONGEST = 2048
"""Longest side in pixels that a browser gets: a chest radiograph's detail, at a size a phone can hold."""

_KEPT = 48


class EncodedImages:
    """Encoded images by path, the last ones kept, because ten raters look at the same."""

    def __init__(self, longest: int = LONGEST):
        self._longest = longest
        self._kept: OrderedDict[str, tuple[bytes, str]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def encoded(self, path: str) -> tuple[bytes, str]:
        """Return the image's bytes and their media type: PNG for grey, JPEG for colour.

        Raises:
            ImageError: it is missing or cannot be read.
        """
        with self._lock:
            if (picture := self._found(path)) is not None:
                return picture
            making = self._making.setdefault(path, threading.Lock())
        # Whoever asks meanwhile waits for it: ten raters open the same picture at the same moment.
        with making:
            with self._lock:
                if (picture := self._found(path)) is not None:
                    return picture
            try:
                picture = from_image(path, lambda image: encode(shrunk(image, self._longest)))
            finally:
                with self._lock:
                    self._making.pop(path, None)
            with self._lock:
                self._kept[path] = picture
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return picture

    def _found(self, path: str) -> tuple[bytes, str] | None:
        if path not in self._kept:
            return None
        self._kept.move_to_end(path)
        return self._kept[path]


def shrunk(image: Image.Image, longest: int) -> Image.Image:
    """Shrink the image until no side is longer than `longest` and return it; a smaller one stays as it is."""
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


def encode(image: Image.Image, quality: int = 92) -> tuple[bytes, str]:
    """Return bytes and media type; grey stays lossless, as a narrow window shows what JPEG adds."""
    buffer = io.BytesIO()
    red, green, blue = image.convert("RGB").split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        red.save(buffer, "PNG", compress_level=4)
        return buffer.getvalue(), "image/png"
    image.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue(), "image/jpeg"
