"""Files that Pillow reads: opened within bounds, at the frame that is meant, turned and in RGB."""

from __future__ import annotations

import contextlib
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from pefomed.errors import ImageError
from pefomed.images.addresses import ImageAddress
from pefomed.images.claims import check_claims, turn_behind_pixels
from pefomed.images.image_errors import check_size, damaged_image, not_for, too_large
from pefomed.images.memory import room_for
from pefomed.images.png import pixel_of
from pefomed.images.square import squared
from pefomed.images.windows import AUTO, Counts, Grey, Values, Window, in_colour, limits_of, render, shares

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")

FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises on damaged files."""

ORIENTATION = 0x0112  # the EXIF tag
_PHOTOMETRIC = 0x0106  # the TIFF tag: 0 for WhiteIsZero
_ORDINARY, _WIDE, _WHOLE = 10, 40, 6
"""Bytes that a pixel of 8 or 16 bits a value needs, one of 32 bits, and what some decoders need besides."""

_DRAWN_LIMIT = 2_000_000_000
"""Most pixels that are drawn for the frames in front of the one asked for."""

_STRIP = 1 << 20  # pixels
_FILTERS = threading.Lock()
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation."""


@contextlib.contextmanager
def open_pillow_file(where: ImageAddress) -> Iterator[Image.Image]:
    """Open a file that Pillow reads, at the frame that is meant; its pixels are not decoded yet.

    Raises:
        ImageError: it is no image, damaged, or too large.
    """
    path = where.file
    try:
        # Our own limit speaks instead of Pillow's warning; filters are shared by all threads.
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            check_claims(path)
            image = Image.open(path, formats=FORMATS)
        with image:
            _choose_frame(where, image)
            check_size(path, image.width, image.height)
            yield image
    except Image.DecompressionBombError as error:
        raise too_large(path, str(error)) from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{path} is not an image that can be read",
            found=f"a file beginning with {_beginning(path)}",
            remedy=f"give one of {', '.join(FORMATS)}, DICOM, NIfTI (.nii, .nii.gz), .mha, .mhd or .nrrd;"
            " a TIFF of 64 bits, of many channels or of a rare compression has to be saved anew,"
            " e.g. with 16 bits",
        ) from None
    except FAULTS as error:
        raise damaged_image(path, str(error) or type(error).__name__) from None


def room_of(path: Path, image: Image.Image) -> contextlib.AbstractContextManager[None]:
    """Hold the memory that decoding an opened file needs."""
    needed = _WIDE if image.mode in ("I", "F") else _ORDINARY
    # Decoders that keep all of it beside what they give out.
    whole = image.format in ("WEBP", "GIF") or "progressive" in image.info
    return room_for(path, image.width * image.height, needed + (_WHOLE if whole else 0))


def turned(where: ImageAddress, image: Image.Image, orientation: int | None) -> Image.Image:
    """Return the picture in RGB, turned as an EXIF orientation says, its pixels square."""
    # Of more than 8 bits Pillow leaves WhiteIsZero to its caller.
    negative = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == 0
    rgb = _to_rgb(where, image, negative)
    upright = rgb.transpose(_TURNS[orientation]) if orientation in _TURNS else rgb
    return squared(where.file, upright, pixel_of(image))


def turn(where: ImageAddress, image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8."""
    # Pillow decodes a PNG to find out whether any stands behind its pixels.
    early = image.format == "PNG" and not turn_behind_pixels(where.file)
    found = (Image.Image.getexif(image) if early else image.getexif()).get(ORIENTATION)
    return found if isinstance(found, int) and 1 < found < 9 else 1


def _choose_frame(where: ImageAddress, image: Image.Image) -> None:
    for key in ("axis", "index", "volume"):
        if getattr(where, key) is not None:
            raise not_for(
                where.file,
                key,
                f"an image of the format {image.format}",
                "slices are for NIfTI; choose a `frame`",
            )
    count = int(getattr(image, "n_frames", 1)) if where.frame else 1
    if where.frame and where.frame >= count:
        raise ImageError(
            f"{where.file} has no frame {where.frame}",
            found=f"{count} frames" if count > 1 else "one frame",
            remedy="frames count from 0",
        )
    if where.frame:
        # All formats but TIFF draw every frame before it.
        if image.format != "TIFF" and where.frame * image.width * image.height > _DRAWN_LIMIT:
            raise ImageError(
                f"{where.file}: frame {where.frame} is too far behind the first",
                found=f"{where.frame} frames of {image.width} x {image.height} pixels to draw before it",
                remedy="save the frame as a picture of its own",
            )
        image.seek(where.frame)


def _to_rgb(where: ImageAddress, image: Image.Image, negative: bool) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _eight_bits(where, image, negative).convert("RGB")
    if where.window != AUTO:
        raise not_for(where.file, "window", "an image of 8 bits a colour", "leave `window` out")
    if "A" in image.mode or "transparency" in image.info:
        return _over_black(image)
    return image.convert("RGB")


def _over_black(image: Image.Image) -> Image.Image:
    seen = Image.new("RGB", image.size)
    # Some rows at a time: of the whole picture three copies of four channels would be needed.
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        area = (0, top, image.width, min(top + rows, image.height))
        strip = image.crop(area).convert("RGBA")
        black = Image.new("RGBA", strip.size, (0, 0, 0, 255))
        seen.paste(Image.alpha_composite(black, strip).convert("RGB"), area)
    return seen


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return repr(file.read(8))


def _eight_bits(where: ImageAddress, image: Image.Image, negative: bool) -> Image.Image:
    """Return a grey image of more bits as one of 8, or one in RGB where the window is three.

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
