"""The values of volumes as they are stored, slice by slice in the rows and columns they are shown in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.images.addresses import ImageAddress
from pefomed.images.image_errors import damaged_image
from pefomed.images.volume_files import opened_slice
from pefomed.images.volumes import cut_of


def slice_values(where: ImageAddress) -> NDArray[Any]:
    """Return the values (height, width) of one slice.

    Raises:
        ImageError: see `open_slice`; or the volume is in colour.
    """
    with opened_slice(where) as cut:
        return _plain(where.file, cut.turned(cut.volume.read(cut.slices)))


def all_slices(path: Path, axis: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield index and values of every slice across an axis; the file is read once.

    Raises:
        ImageError: see `open_slice`; or the volume has more than three dimensions, or is in colour.
    """
    with opened_slice(ImageAddress(path, axis=axis)) as first:
        volume = first.volume
        if any(length > 1 for length in volume.shape[3:]):
            raise damaged_image(path, f"{len(volume.shape)} dimensions, where a volume of labels has three")
        further = (0,) * len(volume.shape[3:])
        values = volume.read((*[slice(None)] * min(3, len(volume.shape)), *further))
        for index in range(first.shape[axis]):
            cut = cut_of(ImageAddress(path, axis=axis, index=index), volume)
            yield index, _plain(path, cut.turned(np.asarray(values[cut.slices[: values.ndim]])))


def grid_of(path: Path) -> tuple[tuple[int, int, int], NDArray[np.float64]]:
    """Return the number of sagittal, coronal and axial slices, and where the voxels lie in the body.

    The latter, (4, 4), leads from the slices' numbers, counted from the left, the back and the feet, to
    millimetres.

    Raises:
        ImageError: see `open_slice`.
    """
    from nibabel.orientations import inv_ornt_aff

    with opened_slice(ImageAddress(path)) as cut:
        volume = cut.volume
        if not np.isfinite(volume.orientation).all():  # an axis of no length: nothing to compare
            return cut.shape, np.eye(4)
        turn = inv_ornt_aff(volume.orientation, (*volume.shape, 1, 1)[:3])  # type: ignore[no-untyped-call]
        return cut.shape, np.asarray(volume.affine @ turn)


def _plain(path: Path, values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.names or values.dtype.kind not in "biuf":
        raise damaged_image(path, f"values of the type {values.dtype}, where labels are numbers")
    return values
