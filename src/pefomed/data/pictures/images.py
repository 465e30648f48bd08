"""Images from files: decoded the same way everywhere, refused with a reason when they cannot be.

PNG, JPEG, TIFF, WebP, BMP and GIF through Pillow, DICOM through pydicom, slices of volumes through
nibabel and SimpleITK. A path may say which frame, slice and window it means: see `addresses`.
"""

from __future__ import annotations

import contextlib
import hashlib
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from pefomed import urls
from pefomed.data.pictures.addresses import Address, address
from pefomed.data.pictures.claims import check_claims, turn_behind_pixels
from pefomed.data.pictures.deep import eight_bits
from pefomed.data.pictures.dicom import dicom_size, open_dicom
from pefomed.data.pictures.dicom_file import is_dicom
from pefomed.data.pictures.image_errors import PIXEL_LIMIT, check_size, damaged, not_for, too_large
from pefomed.data.pictures.memory import room_for
from pefomed.data.pictures.png import pixel_of
from pefomed.data.pictures.square import squared, squared_size
from pefomed.data.pictures.volume_files import is_volume, open_slice, values_file, volume_size
from pefomed.data.pictures.windows import AUTO
from pefomed.errors import ImageError

__all__ = [
    "FORMATS",
    "PIXEL_LIMIT",
    "check_file",
    "content_hash",
    "from_image",
    "hash_of_pixels",
    "image_size",
    "matrix_size",
    "open_image",
    "opened",
    "pixel_hash",
    "rgb_of",
    "turn_of",
]

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises on damaged files."""

Made = TypeVar("Made")

_ORIENTATION = 0x0112  # the EXIF tag
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


def open_image(path: str | Path) -> Image.Image:
    """Decode `path` to an RGB image, turned as its EXIF orientation says; of several frames the first.

    Grey values of more than 8 bits are scaled linearly so that the image's own smallest and largest
    value become 0 and 255, unless the file (DICOM) or the path says a window: 10, 12 and 16 bit
    files look alike, and none comes out black or clipped. Transparent pixels are laid over black.

    Raises:
        ImageError: the file is missing, empty, truncated, no image, or above `PIXEL_LIMIT`; or has
            no such frame, slice or window.
    """
    return from_image(path, lambda image: image)


def from_image(path: str | Path, make: Callable[[Image.Image], Made]) -> Made:
    """Return what `make` makes of the RGB image at `path`, see `open_image`; it may change the image.

    As long as it runs the picture counts for the memory of all pictures: of many, only what is kept
    stays. `make` opens no other picture.

    Raises:
        ImageError: see `open_image`.
    """
    where = address(path)
    check_file(where.file)
    with ExitStack() as held:
        image = _decoded(where, held)
        return make(where.crop.of(image) if where.crop else image)


def image_size(path: str | Path) -> tuple[int, int]:
    """Return width and height in pixels, as `open_image` would give them, from the header alone.

    Raises:
        ImageError: the file is missing, empty, no image, or above `PIXEL_LIMIT`.
    """
    return _said_size(path, square=True)


def matrix_size(path: str | Path) -> tuple[int, int]:
    """Return the width and height of `image_size` before pixels that are not square are made so.

    Raises:
        ImageError: see `image_size`.
    """
    return _said_size(path, square=False)


def turn_of(path: str | Path) -> int:
    """Return the EXIF orientation by which `open_image` turns the file, 1 to 8; 1 is as it is stored.

    Raises:
        ImageError: see `image_size`.
    """
    where = address(path)
    check_file(where.file)
    if is_volume(where.file) or is_dicom(where.file):
        return 1
    with opened(where) as image:
        return _turn(where, image)


def content_hash(path: str | Path) -> str:
    """Return the SHA-256 of the file's bytes, and of the frame, slice and window if the path says any.

    Raises:
        ImageError: the file is missing or empty.
    """
    where = address(path)
    check_file(where.file)
    with where.file.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    if is_volume(where.file) and (values := values_file(where.file)):
        with values.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    if where.view:
        digest.update(f"#{where.view}".encode())
    return digest.hexdigest()


def pixel_hash(path: str | Path) -> str:
    """Return the SHA-256 of the decoded image: equal for the same picture in another lossless file.

    Raises:
        ImageError: see `open_image`.
    """
    return hash_of_pixels(open_image(path))


def rgb_of(image: Image.Image, name: str) -> Image.Image:
    """Return an image that Pillow has opened or made as `open_image` returns a file; `name` is for errors.

    Raises:
        ImageError: it is damaged or above `PIXEL_LIMIT`.
    """
    path = Path(name)
    check_size(path, image.width, image.height)
    try:
        with _room(path, image):
            image.load()
            return _turned(Address(path), image, image.getexif().get(_ORIENTATION))
    except _FAULTS as error:
        raise damaged(path, str(error) or type(error).__name__) from None


def hash_of_pixels(image: Image.Image) -> str:
    """Return the SHA-256 of a decoded image: its size and its pixels."""
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _decoded(where: Address, held: ExitStack) -> Image.Image:
    if is_volume(where.file):
        return open_slice(where, held)
    if is_dicom(where.file):
        return open_dicom(where, held)
    with opened(where) as image:
        held.enter_context(_room(where.file, image))
        image.load()
        return _turned(where, image, _turn(where, image))


def _room(path: Path, image: Image.Image) -> contextlib.AbstractContextManager[None]:
    needed = _WIDE if image.mode in ("I", "F") else _ORDINARY
    # Decoders that keep all of it beside what they give out.
    whole = image.format in ("WEBP", "GIF") or "progressive" in image.info
    return room_for(path, image.width * image.height, needed + (_WHOLE if whole else 0))


def _turned(where: Address, image: Image.Image, turn: int | None) -> Image.Image:
    # Of more than 8 bits Pillow leaves WhiteIsZero to its caller.
    negative = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == 0
    rgb = _to_rgb(where, image, negative)
    turned = rgb.transpose(_TURNS[turn]) if turn in _TURNS else rgb
    return squared(where.file, turned, pixel_of(image))


def _turn(where: Address, image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8."""
    # Pillow decodes a PNG to find out whether any stands behind its pixels.
    early = image.format == "PNG" and not turn_behind_pixels(where.file)
    turn = (Image.Image.getexif(image) if early else image.getexif()).get(_ORIENTATION)
    return turn if isinstance(turn, int) and 1 < turn < 9 else 1


def _said_size(path: str | Path, square: bool) -> tuple[int, int]:
    where = address(path)
    check_file(where.file)
    size = _size(where, square)
    return where.crop.size(size) if where.crop else size


def _size(where: Address, square: bool) -> tuple[int, int]:
    if is_volume(where.file):
        return volume_size(where, square)
    if is_dicom(where.file):
        return dicom_size(where, square)
    with opened(where) as image:
        upright = _turn(where, image) < 5
        size = (image.width, image.height) if upright else (image.height, image.width)
        return squared_size(where.file, size, pixel_of(image)) if square else size


def check_file(path: Path) -> None:
    """Check that there is a file with something in it.

    Raises:
        ImageError: there is none; a URL is named as such.
    """
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        if url := urls.url_in(path):
            raise ImageError(f"{url} is a URL, not a file", remedy=urls.REMEDY) from None
        raise ImageError(
            f"no image at {path}", remedy="check the data folder (--data or PEFOMED_DATA) and the root"
        ) from None
    except (OSError, ValueError) as error:  # a name too long, a NUL in it, a link to itself
        raise ImageError(f"{path} cannot be looked up", found=str(error)) from None
    if path.is_dir():
        raise ImageError(f"{path} is a folder, not an image", remedy="give the path of an image file")
    if not path.is_file():
        raise ImageError(f"{path} is not a file", found="a device, pipe or socket")
    if size == 0:
        raise ImageError(f"{path} is empty", found="0 bytes", remedy="copy or download the file again")


@contextlib.contextmanager
def opened(where: Address) -> Iterator[Image.Image]:
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
    except _FAULTS as error:
        raise damaged(path, str(error) or type(error).__name__) from None


def _choose_frame(where: Address, image: Image.Image) -> None:
    for key in ("axis", "index", "volume"):
        if getattr(where, key) is not None:
            raise not_for(where.file, key, f"a {image.format} file", "slices are for NIfTI; choose a `frame`")
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


def _to_rgb(where: Address, image: Image.Image, negative: bool) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return eight_bits(where, image, negative).convert("RGB")
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
