"""What every reader of images refuses, and in which words."""

from __future__ import annotations

from pathlib import Path

from pefomed.errors import ImageError

PIXEL_LIMIT = 100_000_000
"""Largest number of pixels; a larger image is refused from its header, before memory is spent on it."""

BYTE_LIMIT = 1_000_000_000
"""Most bytes of decoded values: a colour image of 32 bits reaches it before `PIXEL_LIMIT`."""

SIDE_LIMIT = 65_535
"""Most pixels of a side: what DICOM and JPEG can say."""


def check_size(path: Path, width: int, height: int, bytes_per_pixel: int = 1) -> None:
    """Refuse an image above the limits.

    Raises:
        ImageError: it has more pixels or bytes, or none at all.
    """
    if width < 1 or height < 1:
        raise damaged_image(path, f"{width} x {height} pixels")
    if max(width, height) > SIDE_LIMIT:
        raise ImageError(
            f"{path} is too large: a side has at most {SIDE_LIMIT:,} pixels",
            found=f"{width} x {height} pixels",
            remedy="scale the image down, or cut it into tiles",
        )
    if width * height > PIXEL_LIMIT or width * height * bytes_per_pixel > BYTE_LIMIT:
        raise too_large(path, f"{width} x {height} pixels")


def too_large(path: Path, found: str) -> ImageError:
    """Return the error for an image above the limits."""
    return ImageError(
        f"{path} is too large: at most {PIXEL_LIMIT:,} pixels are read",
        found=found,
        remedy="scale the image down, or cut it into tiles",
    )


def damaged_image(path: Path, found: str) -> ImageError:
    """Return the error for a file that is an image, and not a whole one."""
    return ImageError(
        f"{path} is damaged or truncated",
        found=found,
        remedy="copy or download the file again, or leave it out",
    )


def not_for(path: Path, key: str, kind: str, remedy: str) -> ImageError:
    """Return the error for something said behind `#` that this kind of file does not have."""
    return ImageError(f"{path} is {kind}: it has no {key!r} to choose", remedy=remedy)


def absent(path: Path, what: str, package: str, extra: str = "dicom") -> ImageError:
    """Return the error for a file whose reader is not installed; `extra` of this project brings it."""
    return ImageError(
        f"{path} is {what}, and the package {package} that reads it is not installed",
        remedy=f"install it: `pip install 'pefomed[{extra}]'`",
    )
