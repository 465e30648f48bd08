"""Slices of volumes as a radiologist sees them, whatever file they are from.

The volume is turned to its closest R-A-S orientation by swapping and flipping axes, never resampled.
A slice is shown as usual: axial and coronal with the patient's right on the left, the front or
the head above; sagittal with the front on the left. Pixels are made square (`square`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images.addresses import ImageAddress
from pefomed.images.hounsfield import check_units
from pefomed.images.image_errors import check_size, damaged_image, not_for
from pefomed.images.square import squared, squared_size
from pefomed.images.windows import (
    AUTO,
    Counts,
    Grey,
    Values,
    Window,
    in_colour,
    limits_of,
    render,
    shares,
)

Slices = tuple[slice | int, ...]


@dataclass(frozen=True)
class Volume:
    """An opened file: what its header says, and a way to its values."""

    path: Path
    kind: str
    """`a NIfTI file`, for errors."""
    shape: tuple[int, ...]
    """As it is stored; the dimensions behind the third are volumes."""
    orientation: NDArray[np.float64]
    """(3, 2): for each stored axis the body axis (right, front, head) and 1 or -1, NaN for none."""
    spacing: tuple[float, ...]
    """Millimetres from voxel to voxel along the stored axes."""
    read: Callable[[Slices], NDArray[Any]]
    """From one slice or number an axis to values: in the file's units, or a record of R, G and B."""
    affine: NDArray[np.float64]
    """(4, 4): from stored indices to millimetres to the right, the front and the head."""
    limits: tuple[float, float] | None = None
    """What the file itself shows black and white."""


@dataclass(frozen=True)
class SliceCut:
    """Where a slice is in its file, and how it is turned to be seen."""

    volume: Volume
    shape: tuple[int, int, int]
    """The number of sagittal, coronal and axial slices."""
    slices: Slices
    swapped: bool
    """Whether the file has the axis to the right before the axis down."""
    steps: tuple[int, int]
    size: tuple[int, int]
    spacing: tuple[float, float]
    """Height and width of a pixel."""
    distance: float
    """From this slice to the next."""
    index: int

    def turned(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the slice, as they are stored, the way it is seen."""
        values = values.transpose() if self.swapped else values
        return values[:: self.steps[0], :: self.steps[1]]


def cut_of(where: ImageAddress, volume: Volume) -> SliceCut:
    """Return the slice that `where` names.

    Raises:
        ImageError: there is no such slice or volume, or it is above the limits.
    """
    shape = (*volume.shape, 1, 1)[:3]
    orientation = volume.orientation
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
    slices: list[slice | int] = [slice(None)] * min(3, len(volume.shape))
    if stored[axis] < len(slices):
        slices[stored[axis]] = index if forward[axis] else sizes[axis] - 1 - index
    slices += _volume(where, volume)
    spacing = (*volume.spacing, 1.0, 1.0)[:3]
    check_size(where.file, sizes[right], sizes[down], 8)
    return SliceCut(
        volume=volume,
        shape=(sizes[0], sizes[1], sizes[2]),
        slices=tuple(slices),
        swapped=stored[right] < stored[down],
        # Body axes run to the right, the front and the head; a picture runs to the patient's left
        # (or, sagittal, to the back), and down to the back or the feet.
        steps=(-1 if forward[down] else 1, -1 if forward[right] else 1),
        size=(sizes[right], sizes[down]),
        spacing=(spacing[stored[down]], spacing[stored[right]]),
        distance=spacing[stored[axis]],
        index=index,
    )


def slice_picture(where: ImageAddress, cut: SliceCut, square: bool = True) -> Image.Image:
    """Return a slice as an RGB image.

    Args:
        square: whether the pixels are made square.

    Raises:
        ImageError: the window is not for this file, or what is there is no picture.
    """
    picture = _picture(where, cut)
    return squared(where.file, picture, cut.spacing) if square else picture


def slice_size(where: ImageAddress, cut: SliceCut, square: bool = True) -> tuple[int, int]:
    """Return the width and height of `slice_picture`."""
    return squared_size(where.file, cut.size, cut.spacing) if square else cut.size


_COLUMNS = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
"""Of the slice across an axis: the axis to the right and the axis down."""


def _volume(where: ImageAddress, volume: Volume) -> list[slice | int]:
    further = volume.shape[3:]
    count = int(np.prod(further)) if further else 1
    chosen = where.volume or 0
    if chosen >= count:
        raise ImageError(
            f"{where.file} has no volume {chosen}", found=f"{count} volumes", remedy="volumes count from 0"
        )
    # Of several further dimensions the first runs fastest, as in the file.
    return [int(place) for place in np.unravel_index(chosen, further, order="F")] if further else []


def _picture(where: ImageAddress, cut: SliceCut) -> Image.Image:
    stored = cut.volume.read(cut.slices)
    values = cut.turned(stored)
    if values.dtype.names:  # RGB24 and RGBA32
        if where.window != AUTO:
            raise not_for(where.file, "window", "in colour", "leave `window` out")
        return Image.fromarray(np.stack([values[name] for name in ("R", "G", "B")], axis=-1).astype(np.uint8))
    if values.dtype.kind not in "biuf":
        raise damaged_image(where.file, f"values of the type {values.dtype}")
    if any(each.stored is not None for each in (where.window, *where.window.channels)):
        raise not_for(where.file, "window", cut.volume.kind, "use `auto`, `range`, `robust` or CENTRE:WIDTH")
    if where.window.in_hounsfield:
        check_units(where, cut.volume.shape, cut.slices, cut.volume.read, stored)

    def grey(window: Window) -> Grey:
        return render(values, _shade(cut.volume.limits if window == AUTO else None, window))

    return Image.fromarray(in_colour(where.window, grey)).convert("RGB")


def _shade(stored: tuple[float, float] | None, window: Window) -> Callable[[Values, Counts], Values]:
    def shade(values: Values, counts: Counts) -> Values:
        # NaN is how programs write "outside the body".
        seen = np.where(np.isfinite(values), counts, 0)
        share = shares(values, window, stored or limits_of(values, seen, window))
        return np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)

    return shade
