"""Frames of a DICOM file that GDCM decodes: lossless JPEG, and JPEG of 12 bits (PS3.5, 8.2.1)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import ImageError, PackageError
from pefomed.images.codestreams import LOSSLESS, jpeg_frame
from pefomed.images.gdcm_frames import decode
from pefomed.images.image_errors import absent

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LOSSLESS = ("JPEGLossless", "JPEGLosslessSV1")


def is_for_gdcm(syntax: Any, frame: bytes) -> bool:
    """Return whether a frame of this transfer syntax is one that Pillow does not read and GDCM does."""
    if syntax.keyword in _LOSSLESS:
        return True
    about = jpeg_frame(frame) if syntax.keyword == "JPEGExtended12Bit" else None
    return about is not None and about.precision > 8


def stored_by_gdcm(path: Path, header: Dataset, syntax: Any, frame: bytes) -> NDArray[Any]:
    """Return a frame's values (rows, columns) or, in colour, (rows, columns, 3) in RGB.

    Raises:
        ValueError: it is damaged, or another kind of JPEG than the file says.
        ImageError: python-gdcm is not installed, or it is of a kind that is not read.
    """
    from pydicom.pixels.processing import convert_color_space

    about = jpeg_frame(frame)
    if syntax.keyword in _LOSSLESS and about is not None and about.process != LOSSLESS:
        raise ValueError(
            f"a JPEG of another process (marker ff{about.process:02x}) where a lossless one is said"
        )
    space = str(header.get("PhotometricInterpretation"))
    if about is not None and (about.precision < 8 or (about.precision > 8 and space.startswith("YBR"))):
        raise ImageError(
            f"{path} cannot be decoded: it is stored as {syntax.name}",
            found=f"{about.precision} bits a value{', ' + space if space.startswith('YBR') else ''}",
            remedy="convert it, e.g. with `dcmdjpeg`",
        )
    try:
        samples = decode(frame)
    except PackageError:
        raise
    except ModuleNotFoundError:
        raise absent(path, f"stored as {syntax.name}", "python-gdcm") from None
    if samples.shape[2] == 3:
        colours = samples.astype(np.uint8) if int(header.BitsAllocated) == 8 else samples
        return convert_color_space(colours, space, "RGB") if space.startswith("YBR") else colours
    grey: NDArray[Any] = samples[..., 0]
    if header.get("PixelRepresentation") == 1:
        spare = 16 - int(header.get("BitsStored") or 16)
        grey = (grey << spare).view(np.int16) >> spare  # the sign stands in the highest stored bit
    return grey
