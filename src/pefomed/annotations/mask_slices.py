"""A mask beside its image, slice by slice where both are volumes: the values, and the picture they are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.box_frames import frame_of
from pefomed.annotations.box_numbers import Fault, Size
from pefomed.errors import DataError
from pefomed.images.stored_values import Meant, stored_values
from pefomed.images.volume_files import is_volume
from pefomed.images.volume_values import all_slices, grid_of

Slices = Literal["touched", "largest"]
"""Of a volume: all slices that a label touches, or for each label the one in which it is largest."""


@dataclass(frozen=True)
class Layer:
    """A mask of one picture."""

    place: str
    """The file and the slice, for error messages."""
    image: str
    """The picture's path, with its slice behind `#`."""
    view: str
    """What stands behind the image's name: empty, or `#axis=2&index=40`."""
    values: NDArray[Any]
    """Shape (height, width) of the picture as it is stored."""

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.values.shape[1], self.values.shape[0]


def layers_of(image: Path, mask: Path, meant: Meant, axis: int, scaled: bool) -> Iterator[Layer]:
    """Yield a picture's mask; of a volume that of each slice across `axis` that holds more than 0.

    Args:
        meant: what the values of a picture are.
        scaled: the mask may have another size, in the same proportions.

    Raises:
        DataError: the mask does not fit its image, or only one of them is a volume.
        ImageError: a file cannot be read.
    """
    if is_volume(image) != is_volume(mask):
        raise DataError(
            f"{mask} does not fit its image",
            found=f"one of {image.name} and {mask.name} is a volume",
            remedy="give a volume a volume as its mask, and a picture a picture",
        )
    if not is_volume(mask):
        values = stored_values(mask, meant)
        layer = Layer(str(mask), str(image), "", values)
        _check_size(layer, scaled)
        yield layer
        return
    check_grid(image, mask)
    for index, values in all_slices(mask, axis):
        if values.any():
            view = f"#axis={axis}&index={index}"
            yield Layer(f"{mask}, slice {index}", f"{image}{view}", view, values)


def check_grid(image: Path, mask: Path) -> None:
    """Check that a volume and its mask have the same voxels.

    Raises:
        DataError: they differ in size, or lie elsewhere.
        ImageError: a file cannot be read.
    """
    (shape, places), (own_shape, own_places) = grid_of(image), grid_of(mask)
    if shape != own_shape:
        raise DataError(
            f"{mask} does not fit its volume {image}",
            found=f"{_told(own_shape)} slices, the volume {_told(shape)} (sagittal, coronal, axial)",
            remedy="use the mask of this volume, resampled to its voxels",
        )
    # Programs round where a volume lies; a tenth of a voxel is less than can be seen.
    if np.abs(places - own_places).max() > 0.1 * np.linalg.norm(places[:3, :3], axis=0).min():
        raise DataError(
            f"{mask} lies elsewhere in the body than its volume {image}",
            found=f"corners at {_corner(own_places)} and {_corner(places)} mm, or other axes",
            remedy="use the mask of this volume, resampled to its voxels",
        )


def _check_size(layer: Layer, scaled: bool) -> None:
    frame = frame_of(layer.image)
    fault = frame.pixels(layer.size, scaled)
    if isinstance(fault, Fault):
        turned = ", before the turn that its EXIF says" if frame.turn != 1 else ""
        raise DataError(
            f"{layer.place} does not fit its image {layer.image}",
            found=f"{_told(layer.size)}, the image {_told(frame.stored)}{turned}",
            remedy="use the mask of the original image"
            + ("" if scaled else "; if all masks were scaled in proportion, set scaled_masks = true"),
        )


def _told(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _corner(places: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{value:.1f}' for value in places[:3, 3])})"
