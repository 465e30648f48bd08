"""MetaImage and NRRD files through SimpleITK (`.mha`, `.mhd`, `.nrrd`, `.nhdr`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import PackageError
from pefomed.images.image_errors import absent, damaged_image
from pefomed.images.itk_header import METAIMAGE, NRRD, checked_header
from pefomed.images.volumes import Slices, Volume

ENDINGS = METAIMAGE + NRRD

_FAULTS = (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
_COLOURS = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


@contextmanager
def opened_itk(path: Path) -> Iterator[Volume]:
    """Open a file; whatever goes wrong in it while the block runs is an `ImageError`.

    Raises:
        ImageError: it is damaged, or too large, or its values are in a file elsewhere; SimpleITK or
            nibabel is not installed.
    """
    try:
        import nibabel
        import SimpleITK

        itk: Any = SimpleITK
    except PackageError:
        raise
    except ModuleNotFoundError as error:
        if error.name not in ("nibabel", "SimpleITK"):
            raise
        raise absent(path, "a MetaImage or NRRD file", error.name, "volumes") from None
    try:
        checked_header(path)
        itk.ProcessObject.SetGlobalWarningDisplay(False)
        reader = itk.ImageFileReader()
        # Named, so that no other reader is tried on what is not such a file.
        reader.SetImageIO("MetaImageIO" if path.name.lower().endswith(METAIMAGE) else "NrrdImageIO")
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        number = reader.GetDimension()
        lengths = [int(length) for length in reader.GetSize()]
        components = int(reader.GetNumberOfComponents())
        coloured = components in (3, 4) and reader.GetPixelID() in (
            itk.sitkVectorUInt8, itk.sitkUInt8,
        )  # fmt: skip
        further = [components] if components > 1 and not coloured else []
        affine = _affine(reader, number)
        yield Volume(
            path=path,
            kind="a MetaImage or NRRD file",
            shape=(*lengths, *([1] * (3 - number)), *further),
            orientation=nibabel.io_orientation(affine),  # type: ignore[no-untyped-call]
            spacing=tuple(float(value) for value in reader.GetSpacing()[:3]),
            read=lambda slices: _read(itk, reader, lengths, components, coloured, slices),
            affine=affine,
        )
    except _FAULTS as error:
        raise damaged_image(path, _reason(error)) from None


def _affine(reader: Any, number: int) -> NDArray[np.float64]:
    """Return the affine (4, 4) of the first three axes in R-A-S; ITK's runs left, back and up."""
    direction = np.eye(max(number, 3))
    direction[:number, :number] = np.array(reader.GetDirection()).reshape(number, number)
    spacing = np.ones(3)
    spacing[: min(number, 3)] = reader.GetSpacing()[:3]
    affine = np.eye(4)
    origin = np.zeros(3)
    origin[: min(number, 3)] = reader.GetOrigin()[:3]
    to_ras = np.diag([-1.0, -1.0, 1.0])
    affine[:3, :3] = to_ras @ direction[:3, :3] @ np.diag(spacing)
    affine[:3, 3] = to_ras @ origin
    return affine


def _read(
    itk: Any, reader: Any, lengths: list[int], components: int, coloured: bool, slices: Slices
) -> NDArray[Any]:
    """Return the values of a part; `slices` has a place for each axis, and last for several components."""
    spatial = [*slices[: len(lengths)]]
    index = [0 if isinstance(part, slice) else part for part in spatial]
    size = [length if isinstance(part, slice) else 1 for part, length in zip(spatial, lengths, strict=False)]
    # Sides of 1, not 0: an axis that is left out may leave a direction that ITK refuses.
    reader.SetExtractIndex(index)
    reader.SetExtractSize(size)
    values = itk.GetArrayFromImage(reader.Execute())
    values = np.moveaxis(values, -1, 0) if components > 1 else values[None]  # (C, ..., Z, Y, X)
    values = values.transpose(0, *range(values.ndim - 1, 0, -1))  # (C, X, Y, Z, ...)
    values = values.reshape(*values.shape, *([1] * (4 - values.ndim)))
    places = slices[: values.ndim - 1]
    values = values[(slice(None), *(slice(None) if isinstance(part, slice) else 0 for part in places))]
    if coloured:
        colours = np.zeros(values.shape[1:], _COLOURS)
        for place, name in enumerate("RGB"):
            colours[name] = values[place]
        return colours
    channel = slices[-1] if components > 1 else 0
    return np.asarray(values[channel])


def _reason(error: BaseException) -> str:
    """Return the last line of ITK's error: the first ones name its source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
