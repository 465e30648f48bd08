"""A picture in any form it may be asked about: a path, a PIL image, an array, or the bytes of a file.

All become the same RGB image: a file, its bytes and what Pillow or NumPy make of it have one answer.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pefomed.errors import ImageError
from pefomed.files import urls
from pefomed.images.addresses import address
from pefomed.images.image_errors import check_size
from pefomed.images.images import image_size, open_image, rgb_of

Picture = str | Path | bytes | bytearray | Image.Image | NDArray[Any]

ENDINGS = tuple(
    ".png .jpg .jpeg .tif .tiff .webp .bmp .gif .dcm .dicom .nii .nii.gz .mha .mhd .nrrd .nhdr".split()
)
"""What names of image files end in."""


def given_images(given: Picture | Sequence[Picture]) -> list[Image.Image]:
    """Return one picture, or each of several views of one study, as RGB images.

    Raises:
        ImageError: there is none, or one cannot be read.
    """
    several = isinstance(given, Sequence) and not isinstance(given, (str, bytes, bytearray, memoryview))
    pictures = [given_image(one) for one in given] if several else [given_image(given)]  # type: ignore[union-attr]
    if not pictures:
        raise ImageError("no image is given", remedy="give one, or a list of the views of one study")
    return pictures


def given_image(given: Any) -> Image.Image:
    """Return one picture as an RGB image.

    Grey arrays of more than 8 bits, or of floating-point numbers, are scaled as such files are: their own
    smallest and largest value become 0 and 255. Colour arrays hold integers 0 to 255, or shares in [0, 1].

    Raises:
        ImageError: the file cannot be read, or the object is no picture.
    """
    if isinstance(given, (str, Path)):
        return _of_path(given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(given))
    if isinstance(given, Image.Image):
        return rgb_of(given, "the image given")
    if hasattr(given, "__array__"):
        return _of_array(np.asarray(given))
    raise ImageError(
        "an image is a path, a PIL image, an array or the bytes of a file",
        found=type(given).__name__,
        remedy="give one of these, or a list of them",
    )


def is_picture(text: str) -> bool:
    """Return whether `text` names an image file that is there."""
    try:
        image_size(text)
    except ImageError:
        return False
    return True


def has_ending(text: str) -> bool:
    """Return whether `text` is one word with the ending of an image file, `#frame=3` behind it or not."""
    try:
        name = address(text).file.name.lower()
    except ImageError:
        return False
    return name.endswith(ENDINGS) and not any(sign.isspace() for sign in name)


def _of_path(path: str | Path) -> Image.Image:
    where = address(path).file
    try:
        where.stat()
    except (FileNotFoundError, NotADirectoryError):
        if url := urls.url_in(path):
            raise ImageError(f"{url} is a URL, not a file", remedy=urls.REMEDY) from None
        below = "" if where.is_absolute() else f" in {Path.cwd()}"
        raise ImageError(
            f"no image at {path}",
            found=f"no such file{below}",
            remedy="give the path of an image file; the images stand before the question",
        ) from None
    except (OSError, ValueError):
        pass  # a name too long, say: `open_image` has the words for it
    return open_image(path)


def _of_bytes(content: bytes) -> Image.Image:
    name = "the image given as bytes"
    with tempfile.TemporaryDirectory() as folder:
        # Readers look into files, but for those of volumes, which go by the name.
        path = Path(folder) / f"image{_volume_ending(content)}"
        path.write_bytes(content)
        try:
            return open_image(path)
        except ImageError as error:
            raise ImageError(
                error.problem.replace(str(path), name), found=error.found, remedy=error.remedy
            ) from None


def _volume_ending(content: bytes) -> str:
    if content[:7] == b"NRRD000":
        return ".nrrd"
    if re.match(rb"(ObjectType|NDims)\s*=", content[:32]):
        return ".mha"
    if content[:2] == b"\x1f\x8b":
        return ".nii.gz"
    return ".nii" if content[344:348] in (b"n+1\0", b"ni1\0") or content[4:8] == b"n+2\0" else ""


def _of_array(array: NDArray[Any]) -> Image.Image:
    shape = " x ".join(map(str, array.shape)) or "a single number"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not fits or array.dtype.kind not in "buif":
        raise ImageError(
            "an array is an image of height x width, or of height x width x 3",
            found=f"{shape}, {array.dtype}",
            remedy="put the channels last, and give one image at a time",
        )
    check_size(Path("the array given"), array.shape[1], array.shape[0], array.dtype.itemsize)
    if array.dtype.kind == "f" and not (np.abs(array) <= np.finfo(np.float32).max).all():
        raise ImageError("the array given has a pixel that is not a finite number", remedy="replace it first")
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if array.ndim == 3:
        array = _colours(array)
    elif array.dtype != np.uint8:
        # What Pillow holds grey values of more than 8 bits in; 16 bits fit both.
        whole = array.dtype.kind != "f" and np.can_cast(array.dtype, np.int32)
        array = array.astype(np.int32 if whole else np.float32)
    return rgb_of(Image.fromarray(np.ascontiguousarray(array)), "the array given")


def _colours(array: NDArray[Any]) -> NDArray[np.uint8]:
    most = 1.0 if array.dtype.kind == "f" else 255
    if array.size and (array.min() < 0 or array.max() > most):
        raise ImageError(
            "a colour array holds integers 0 to 255, or floating-point numbers 0 to 1",
            found=f"{array.dtype}, {array.min():g} to {array.max():g}",
            remedy="scale it first",
        )
    return np.rint(array * 255).astype(np.uint8) if most == 1.0 else array.astype(np.uint8)
