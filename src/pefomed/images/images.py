"""Images from files: decoded the same way everywhere, refused with a reason when they cannot be.

PNG, JPEG, TIFF, WebP, BMP and GIF through Pillow, DICOM through pydicom, slices of volumes through
nibabel and SimpleITK. A path may say which frame, slice and window it means: see `addresses`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from PIL import Image

from pefomed.errors import ImageError
from pefomed.files import urls
from pefomed.images.addresses import ImageAddress, address
from pefomed.images.dicom import dicom_size, open_dicom
from pefomed.images.dicom_file import is_dicom
from pefomed.images.image_errors import PIXEL_LIMIT, check_size, damaged_image
from pefomed.images.pillow_file import FAULTS, ORIENTATION, open_pillow_file, room_of, turn, turned
from pefomed.images.png import pixel_of
from pefomed.images.square import squared_size
from pefomed.images.volume_files import is_volume, open_slice, values_file, volume_size

__all__ = [
    "PIXEL_LIMIT",
    "check_file",
    "content_hash",
    "from_image",
    "hash_of_pixels",
    "image_size",
    "matrix_size",
    "open_image",
    "pixel_hash",
    "rgb_of",
    "turn_of",
]

Made = TypeVar("Made")


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
        return make(where.change.of(where.crop.of(image) if where.crop else image))


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
    with open_pillow_file(where) as image:
        return turn(where, image)


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
        with room_of(path, image):
            image.load()
            return turned(ImageAddress(path), image, image.getexif().get(ORIENTATION))
    except FAULTS as error:
        raise damaged_image(path, str(error) or type(error).__name__) from None


def hash_of_pixels(image: Image.Image) -> str:
    """Return the SHA-256 of a decoded image: its size and its pixels."""
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _decoded(where: ImageAddress, held: ExitStack) -> Image.Image:
    if is_volume(where.file):
        return open_slice(where, held)
    if is_dicom(where.file):
        return open_dicom(where, held)
    with open_pillow_file(where) as image:
        held.enter_context(room_of(where.file, image))
        image.load()
        return turned(where, image, turn(where, image))


def _said_size(path: str | Path, square: bool) -> tuple[int, int]:
    where = address(path)
    check_file(where.file)
    size = _size(where, square)
    return where.crop.size(size) if where.crop else size


def _size(where: ImageAddress, square: bool) -> tuple[int, int]:
    if is_volume(where.file):
        return volume_size(where, square)
    if is_dicom(where.file):
        return dicom_size(where, square)
    with open_pillow_file(where) as image:
        upright = turn(where, image) < 5
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
