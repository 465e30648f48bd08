"""Slices of NIfTI volumes as a radiologist sees them (NIfTI-1 and NIfTI-2, `.nii` and `.nii.gz`).

The volume is turned to its closest R-A-S orientation by swapping and flipping axes, never resampled.
A slice is shown as usual: axial and coronal with the patient's right on the left, the front or
the head above; sagittal with the front on the left. Pixels are made square (`square`).
"""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pefomed.data.pictures.addresses import Address
from pefomed.data.pictures.image_errors import absent, check_size, damaged, not_for
from pefomed.data.pictures.memory import room_for
from pefomed.data.pictures.nifti_header import check_header
from pefomed.data.pictures.square import squared, squared_size
from pefomed.data.pictures.windows import AUTO, Counts, Values, Window, limits_of, render, shares
from pefomed.errors import ImageError, PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nibabel.nifti1 import Nifti1Image

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
_NEEDED = 50
"""Bytes that a pixel of a slice needs: values and shares are float64."""

_BLOCK = 2**27
"""Most bytes of a volume that are read at once."""

_COLUMNS = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
"""Of the slice across an axis: the axis to the right and the axis down."""


def is_nifti(path: Path) -> bool:
    """Return whether the file's name says NIfTI."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def open_nifti(where: Address, held: ExitStack) -> Image.Image:
    """Cut one slice and return it as an RGB image; the memory it needs stays taken until `held` is closed.

    Raises:
        ImageError: the file is damaged, too large, or has no such slice; nibabel is not installed.
    """
    with _opened(where) as cut:
        held.enter_context(room_for(where.file, cut.size[0] * cut.size[1], _NEEDED))
        values = cut.values()
        values = values.transpose() if cut.swapped else values
        turned = values[:: cut.steps[0], :: cut.steps[1]]
        return squared(where.file, _picture(where, cut.image, turned), cut.spacing)


def nifti_size(where: Address, square: bool = True) -> tuple[int, int]:
    """Return width and height in pixels, as `open_nifti` would give them, from the header alone.

    Args:
        square: whether the pixels are made square.

    Raises:
        ImageError: see `open_nifti`.
    """
    with _opened(where) as cut:
        return squared_size(where.file, cut.size, cut.spacing) if square else cut.size


def nifti_shape(path: Path) -> tuple[int, int, int]:
    """Return the number of sagittal, coronal and axial slices.

    Raises:
        ImageError: see `open_nifti`.
    """
    with _opened(Address(path)) as cut:
        return cut.shape


@dataclass(frozen=True)
class _Cut:
    """Where a slice is in its file, and how it is turned to be seen."""

    image: Nifti1Image
    shape: tuple[int, int, int]
    slices: tuple[slice | int, ...]
    swapped: bool
    """Whether the file has the axis to the right before the axis down."""
    steps: tuple[int, int]
    size: tuple[int, int]
    spacing: tuple[float, float]

    def values(self) -> NDArray[Any]:
        """Return the slice's values, in the order in which they are stored."""
        stored = self.image.dataobj
        planes = len(self.slices) > 2 and self.slices[2] == slice(None)
        plane = self.image.shape[0] * self.image.shape[1] * 16  # bytes, as read and as scaled
        if not planes or plane * self.image.shape[2] <= _BLOCK:
            return np.asarray(stored[self.slices])
        # Of a slice across the planes every plane is read, and of a large volume only some at once.
        step = max(1, _BLOCK // plane)
        parts = []
        for first in range(0, self.image.shape[2], step):
            block = (slice(None), slice(None), slice(first, first + step), *self.slices[3:])
            parts.append(np.asarray(stored[block])[*self.slices[:2]].copy())
        return np.concatenate(parts, axis=-1)


@contextmanager
def _opened(where: Address) -> Iterator[_Cut]:
    if where.frame is not None:
        raise not_for(where.file, "frame", "a NIfTI file", "choose `axis` and `index` (and `volume`)")
    try:
        import nibabel
    except PackageError:
        raise
    except ModuleNotFoundError as error:
        if error.name != "nibabel":
            raise
        raise absent(where.file, "a NIfTI file", "nibabel") from None
    try:
        check_header(where.file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Kept open, a compressed file is unpacked once, however many blocks of it are read.
            image: Any = nibabel.load(where.file, keep_file_open=True)
        orientation = nibabel.io_orientation(image.affine)  # type: ignore[no-untyped-call]
        yield _cut(where, image, orientation)
    except nibabel.filebasedimages.ImageFileError as error:
        raise damaged(where.file, str(error)) from None
    except nibabel.spatialimages.HeaderDataError as error:
        raise damaged(where.file, str(error)) from None
    except _FAULTS as error:
        raise damaged(where.file, str(error) or type(error).__name__) from None


def _cut(where: Address, image: Any, orientation: NDArray[np.float64]) -> _Cut:
    shape = (*image.shape, 1, 1)[:3] if len(image.shape) < 3 else image.shape[:3]
    # orientation[stored axis] = (body axis, direction); an axis of no length has no direction.
    body = [int(axis) if np.isfinite(axis) else place for place, axis in enumerate(orientation[:, 0])]
    if sorted(body) != [0, 1, 2]:
        body = [0, 1, 2]
    stored = [body.index(axis) for axis in range(3)]  # body axis -> stored axis
    forward = [orientation[place, 1] != -1 for place in stored]
    sizes = tuple(int(shape[place]) for place in stored)
    axis = 2 if where.axis is None else where.axis
    index = sizes[axis] // 2 if where.index is None else where.index
    if index >= sizes[axis]:
        raise ImageError(
            f"{where.file} has no slice {index} along axis {axis}",
            found=f"{sizes[axis]} slices",
            remedy="slices count from 0",
        )
    right, down = _COLUMNS[axis]
    slices: list[slice | int] = [slice(None)] * min(3, len(image.shape))
    if stored[axis] < len(slices):
        slices[stored[axis]] = index if forward[axis] else sizes[axis] - 1 - index
    slices += _volume(where, image)
    zooms = [*(float(zoom) for zoom in image.header.get_zooms()[:3]), 1.0][:3]
    check_size(where.file, sizes[right], sizes[down], 8)
    return _Cut(
        image=image,
        shape=(sizes[0], sizes[1], sizes[2]),
        slices=tuple(slices),
        swapped=stored[right] < stored[down],
        # Body axes run to the right, the front and the head; a picture runs to the patient's left
        # (or, sagittal, to the back), and down to the back or the feet.
        steps=(-1 if forward[down] else 1, -1 if forward[right] else 1),
        size=(sizes[right], sizes[down]),
        spacing=(zooms[stored[down]], zooms[stored[right]]),
    )


def _volume(where: Address, image: Nifti1Image) -> list[slice | int]:
    further = image.shape[3:]
    count = int(np.prod(further)) if further else 1
    chosen = where.volume or 0
    if chosen >= count:
        raise ImageError(
            f"{where.file} has no volume {chosen}", found=f"{count} volumes", remedy="volumes count from 0"
        )
    # Of several further dimensions the first runs fastest, as in the file.
    return [int(place) for place in np.unravel_index(chosen, further, order="F")] if further else []


def _picture(where: Address, image: Nifti1Image, values: NDArray[Any]) -> Image.Image:
    if values.dtype.names:  # RGB24 and RGBA32
        if where.window != AUTO:
            raise not_for(where.file, "window", "in colour", "leave `window` out")
        return Image.fromarray(np.stack([values[name] for name in ("R", "G", "B")], axis=-1).astype(np.uint8))
    if values.dtype.kind not in "biuf":
        raise damaged(where.file, f"values of the type {values.dtype}")
    if where.window.stored is not None:
        raise not_for(where.file, "window", "a NIfTI file", "use `auto`, `range`, `robust` or CENTRE:WIDTH")
    return Image.fromarray(render(values, _shade(image, where.window))).convert("RGB")


def _shade(image: Nifti1Image, window: Window) -> Any:
    low, high = (float(image.header[key]) for key in ("cal_min", "cal_max"))
    stored = (low, high) if window == AUTO and np.isfinite([low, high]).all() and high > low else None

    def shade(values: Values, counts: Counts) -> Values:
        # NaN is how NIfTI programs write "outside the body".
        seen = np.where(np.isfinite(values), counts, 0)
        share = shares(values, window, stored or limits_of(values, seen, window))
        return np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)

    return shade
