"""The values of an image file as stored: numbers of labels, not the grey in which they would be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from pefomed.errors import ImageError
from pefomed.images.addresses import address
from pefomed.images.dicom_file import is_dicom
from pefomed.images.images import check_file
from pefomed.images.pillow_file import open_pillow_file
from pefomed.images.volume_files import is_volume
from pefomed.images.volume_values import slice_values

Meant = Literal["numbers", "colours", "grey"]
"""What a picture holds: numbers, also of a palette; colours; or grey, though it may be saved as colour."""


def stored_values(path: str | Path, meant: Meant = "numbers") -> NDArray[Any]:
    """Return the values (height, width) of a picture, or of a slice; a photo is turned as it is shown.

    Of colours, one value is red * 65536 + green * 256 + blue; as `numbers`, colours that are all grey are the
    grey values. Transparent pixels are 0.

    Raises:
        ImageError: the file cannot be read, is DICOM, or is partly transparent.
    """
    where = address(path)
    check_file(where.file)
    if is_volume(where.file):
        return slice_values(where)
    if is_dicom(where.file):
        raise ImageError(
            f"{where.file} is DICOM, which is no mask here",
            remedy="save the mask as PNG, TIFF or NIfTI",
        )
    with open_pillow_file(where) as image:
        image.load()
        turned = ImageOps.exif_transpose(image)
        if turned.mode == "P" and meant != "numbers":
            turned = turned.convert("RGBA" if "transparency" in turned.info else "RGB")
        if turned.mode == "1":
            return np.asarray(turned).astype(np.uint8)
        if turned.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            turned = turned.convert("RGB")
        if meant == "grey" and turned.mode == "RGB":
            turned = turned.convert("L")
        values = np.asarray(turned)
    colours = meant == "colours"
    return _one_value(where.file, values, colours) if values.ndim == 3 else _coloured(values, colours)


def _one_value(path: Path, values: NDArray[Any], colours: bool) -> NDArray[Any]:
    """Return one value for each pixel of (height, width, 2 to 4 channels)."""
    if values.shape[2] in (2, 4):
        alpha = values[..., -1]
        if not np.isin(alpha, (0, 255)).all():
            raise ImageError(
                f"{path} is partly transparent, and a mask is not",
                found=f"alpha from {alpha.min()} to {alpha.max()}",
                remedy="save it without transparency",
            )
        values = np.where(alpha[..., None] > 0, values[..., :-1], 0)
    grey = values[..., 0]
    if not colours and all((values[..., channel] == grey).all() for channel in range(values.shape[2])):
        return np.asarray(grey)
    wide = values.astype(np.uint32)
    return wide[..., 0] << 16 | wide[..., -2 if values.shape[2] > 1 else 0] << 8 | wide[..., -1]


def _coloured(values: NDArray[Any], colours: bool) -> NDArray[Any]:
    """Return grey values as colours, where these are asked for."""
    return values * np.uint32(0x010101) if colours and values.dtype == np.uint8 else values
