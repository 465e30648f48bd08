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

from pefomed.data.pictures.image_errors import absent, damaged
from pefomed.data.pictures.nifti_header import check_header
from pefomed.data.pictures.volumes import Volume
from pefomed.errors import PackageError

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
            image: Any = nibabel.load(path)
        low, high = (float(image.header[key]) for key in ("cal_min", "cal_max"))
        yield Volume(
            path=path,
            kind="a NIfTI file",
            shape=tuple(int(length) for length in image.shape),
            orientation=nibabel.io_orientation(image.affine),  # type: ignore[no-untyped-call]
            spacing=tuple(float(zoom) for zoom in image.header.get_zooms()[:3]),
            read=lambda slices: np.asarray(image.dataobj[slices]),
            affine=np.asarray(image.affine, dtype=np.float64),
            limits=(low, high) if np.isfinite([low, high]).all() and high > low else None,
        )
    except nibabel.filebasedimages.ImageFileError as error:
        raise damaged(path, str(error)) from None
    except nibabel.spatialimages.HeaderDataError as error:
        raise damaged(path, str(error)) from None
    except _FAULTS as error:
        raise damaged(path, str(error) or type(error).__name__) from None
