"""Images from files: decoded the same way everywhere, refused with a reason when they cannot be."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pefomed.errors import ImageError

PIXEL_LIMIT = 100_000_000
"""Largest number of pixels; a larger image is refused from its header, before memory is spent on it."""

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")

_ORIENTATION = 0x0112  # the EXIF tag
_FILTERS = threading.Lock()


def open_image(path: str | Path) -> Image.Image:
    """Decode the first frame of `path` to an RGB image, turned as its EXIF orientation says.

    Grey values of more than 8 bits are scaled linearly so that the image's own smallest and largest
    value become 0 and 255: 10, 12 and 16 bit files look alike, and none comes out black or
    clipped. Transparent pixels are laid over black.

    Raises:
        ImageError: the file is missing, empty, truncated, no image, or above `PIXEL_LIMIT`.
    """
    path = Path(path)
    with _opened(path) as image:
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))


def image_size(path: str | Path) -> tuple[int, int]:
    """Return width and height in pixels, as `open_image` would give them, from the header alone.

    Raises:
        ImageError: the file is missing, empty, no image, or above `PIXEL_LIMIT`.
    """
    with _opened(Path(path)) as image:
        turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
        return (image.height, image.width) if turned else (image.width, image.height)


def content_hash(path: str | Path) -> str:
    """Return the SHA-256 of the file's bytes, in hex.

    Raises:
        ImageError: the file is missing or empty.
    """
    path = Path(path)
    _check_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pixel_hash(path: str | Path) -> str:
    """Return the SHA-256 of the decoded image: equal for the same picture in another lossless file.

    Raises:
        ImageError: see `open_image`.
    """
    image = open_image(path)
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    _check_file(path)
    try:
        # Our own limit speaks instead of Pillow's warning; filters are shared by all threads.
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
        with image:
            _check_size(path, image.width, image.height)
            yield image
    except Image.DecompressionBombError as error:
        raise _too_large(path, str(error)) from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{path} is not an image that can be read",
            found=f"a file beginning with {_beginning(path)}",
            remedy=f"give one of {', '.join(FORMATS)}",
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(
            f"{path} is damaged or truncated",
            found=str(error),
            remedy="copy or download the file again, or leave the sample out",
        ) from None


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError(
            f"no image at {path}", remedy="check the data folder (--data or PEFOMED_DATA) and the root"
        ) from None
    if path.is_dir():
        raise ImageError(f"{path} is a folder, not an image", remedy="give the path of an image file")
    if size == 0:
        raise ImageError(f"{path} is empty", found="0 bytes", remedy="copy or download the file again")


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > PIXEL_LIMIT:
        raise _too_large(path, f"{width} x {height} pixels")


def _too_large(path: Path, found: str) -> ImageError:
    return ImageError(
        f"{path} is too large: at most {PIXEL_LIMIT:,} pixels are read",
        found=found,
        remedy="scale the image down, or cut it into tiles",
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _to_eight_bits(image).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
    return image.convert("RGB")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a pixel is not a finite number")
    low, high = float(values.min()), float(values.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(np.rint((values - low) * scale).astype(np.uint8))


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return repr(file.read(8))
