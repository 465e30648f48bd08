"""Which files are volumes, and one slice of one of them as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from PIL import Image

from pefomed.images import itk, nifti
from pefomed.images.addresses import ImageAddress
from pefomed.images.image_errors import not_for
from pefomed.images.itk import opened_itk
from pefomed.images.itk_header import checked_header
from pefomed.images.memory import room_for
from pefomed.images.nifti import opened_nifti
from pefomed.images.volumes import SliceCut, Volume, cut_of, slice_picture, slice_size

ENDINGS = (*nifti.ENDINGS, *itk.ENDINGS)

NEEDED = 50
"""Bytes that a pixel of a slice needs: values and shares are float64."""

_READERS: dict[tuple[str, ...], Callable[[Path], AbstractContextManager[Volume]]] = {
    nifti.ENDINGS: opened_nifti,
    itk.ENDINGS: opened_itk,
}


def is_volume(path: Path) -> bool:
    """Return whether the file's name says that it is a volume."""
    return path.name.lower().endswith(ENDINGS)


def open_slice(where: ImageAddress, held: ExitStack) -> Image.Image:
    """Cut one slice and return it as an RGB image; the memory it needs stays taken until `held` is closed.

    Raises:
        ImageError: the file is damaged, too large, or has no such slice; its package is not installed.
    """
    with opened_slice(where) as cut:
        held.enter_context(room_for(where.file, cut.size[0] * cut.size[1], NEEDED))
        return slice_picture(where, cut)


def volume_size(where: ImageAddress, square: bool = True) -> tuple[int, int]:
    """Return width and height in pixels, as `open_slice` would give them, from the header alone.

    Args:
        square: whether the pixels are made square.

    Raises:
        ImageError: see `open_slice`.
    """
    with opened_slice(where) as cut:
        return slice_size(where, cut, square)


def volume_shape(path: Path) -> tuple[int, int, int]:
    """Return the number of sagittal, coronal and axial slices.

    Raises:
        ImageError: see `open_slice`.
    """
    with opened_slice(ImageAddress(path)) as cut:
        return cut.shape


@contextmanager
def opened_slice(where: ImageAddress) -> Iterator[SliceCut]:
    """Open a volume at a slice; whatever goes wrong in it while the block runs is an `ImageError`.

    Raises:
        ImageError: see `open_slice`.
    """
    name = where.file.name.lower()
    reader = next(reader for endings, reader in _READERS.items() if name.endswith(endings))
    with reader(where.file) as volume:
        if where.frame is not None:
            raise not_for(where.file, "frame", volume.kind, "choose `axis` and `index` (and `volume`)")
        yield cut_of(where, volume)


def values_file(path: Path) -> Path | None:
    """Return the file that holds the values of a volume, where that is another one than its header.

    Raises:
        ImageError: the header is damaged, or names a file that is not beside it.
    """
    if not path.name.lower().endswith(itk.ENDINGS):
        return None
    data = checked_header(path)
    return None if data == path else data
