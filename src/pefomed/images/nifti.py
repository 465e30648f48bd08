"""NIfTI files through nibabel (NIfTI-1 and NIfTI-2, `.nii` and `.nii.gz`)."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import PackageError
from pefomed.images.image_errors import absent, damaged_image
from pefomed.images.nifti_header import check_header
from pefomed.images.volumes import Slices, Volume

_BLOCK = 2**27
"""Most bytes of a volume that are read at once."""

ENDINGS = (".nii", ".nii.gz")

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@contextmanager
def opened_nifti(path: Path) -> Iterator[Volume]:
    """Open a NIfTI file; whatever goes wrong in it while the block runs is an `ImageError`.

    Raises:
        ImageError: it is damaged, or too large; nibabel is not installed.
    """
    try:
        import nibabel
    except PackageError:
        raise
    except ModuleNotFoundError as error:
        if error.name != "nibabel":
            raise
        raise absent(path, "a NIfTI file", "nibabel") from None
    try:
        check_header(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Kept open, a compressed file is unpacked once, however many blocks of it are read.
            image: Any = nibabel.load(path, keep_file_open=True)
        low, high = (float(image.header[key]) for key in ("cal_min", "cal_max"))
        yield Volume(
            path=path,
            kind="a NIfTI file",
            shape=tuple(int(length) for length in image.shape),
            orientation=nibabel.io_orientation(image.affine),  # type: ignore[no-untyped-call]
            spacing=tuple(float(zoom) for zoom in image.header.get_zooms()[:3]),
            read=lambda slices: _values(image, slices),
            affine=np.asarray(image.affine, dtype=np.float64),
            limits=(low, high) if np.isfinite([low, high]).all() and high > low else None,
        )
    except nibabel.filebasedimages.ImageFileError as error:
        raise damaged_image(path, str(error)) from None
    except nibabel.spatialimages.HeaderDataError as error:
        raise damaged_image(path, str(error)) from None
    except _FAULTS as error:
        raise damaged_image(path, str(error) or type(error).__name__) from None


def _values(image: Any, slices: Slices) -> NDArray[Any]:
    shape = image.shape
    if len(shape) < 3 or slices[2] != slice(None):
        return np.asarray(image.dataobj[slices])
    plane = shape[0] * shape[1] * 16  # bytes, as read and as scaled
    if plane * shape[2] <= _BLOCK:
        return np.asarray(image.dataobj[slices])
    # For a slice across the planes every plane is read, and of a large volume only some at once.
    step = max(1, _BLOCK // plane)
    parts = []
    for first in range(0, shape[2], step):
        block = (slice(None), slice(None), slice(first, first + step), *slices[3:])
        parts.append(np.asarray(image.dataobj[block])[slices[:2]].copy())
    return np.concatenate(parts, axis=-1)
