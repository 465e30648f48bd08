"""The header of a NIfTI file, looked at before anything is unpacked: what it asks for, and the limits."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

from pefomed.errors import ImageError
from pefomed.images.image_errors import damaged_image

VOLUME_LIMIT = 4_000_000_000
"""Most bytes of one volume: a compressed one has to be unpacked up to its slice."""

EXTENSION_LIMIT = 2**24
"""Most bytes in front of the values."""


def check_header(path: Path) -> None:
    """Refuse a file whose header asks for more than the limits, before anything is unpacked."""
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        front = file.read(544)
    for order in "<>":
        if len(front) < 348:
            break
        (length,) = struct.unpack_from(f"{order}i", front)
        if length == 348:
            dimensions = struct.unpack_from(f"{order}8h", front, 40)
            bits, offset = struct.unpack_from(f"{order}h", front, 72)[0], _float(front, order, 108)
        elif length == 540 and len(front) == 544:
            dimensions = struct.unpack_from(f"{order}8q", front, 16)
            bits, offset = struct.unpack_from(f"{order}h", front, 14)[0], _long(front, order, 168)
        else:
            continue
        _check_dimensions(path, dimensions, bits)
        if not 0 <= offset <= EXTENSION_LIMIT:
            raise damaged_image(path, f"its values begin at byte {offset:g}")
        return
    raise ImageError(
        f"{path} is not a NIfTI file",
        found=f"a file beginning with {front[:8]!r}",
        remedy="give a .nii or .nii.gz file; convert .hdr/.img pairs first",
    )


def _check_dimensions(path: Path, dimensions: tuple[int, ...], bits: int) -> None:
    number, sizes = dimensions[0], dimensions[1:4]
    if not 2 <= number <= 7 or any(size < 1 for size in dimensions[1 : number + 1]) or bits < 1:
        raise damaged_image(path, f"dimensions {dimensions} of {bits} bits")
    volume = 1
    for size in sizes[: min(number, 3)]:
        volume *= size
    volumes = 1
    for size in dimensions[4 : number + 1]:
        volumes *= size
    if volume * bits // 8 > VOLUME_LIMIT or volumes > 2**20:
        raise ImageError(
            f"{path} is too large: at most {VOLUME_LIMIT:,} bytes of a volume are read",
            found=" x ".join(str(size) for size in dimensions[1 : number + 1]) + f" values of {bits} bits",
            remedy="crop or resample the volume",
        )


def _float(front: bytes, order: str, place: int) -> float:
    (value,) = struct.unpack_from(f"{order}f", front, place)
    return float(value)


def _long(front: bytes, order: str, place: int) -> float:
    (value,) = struct.unpack_from(f"{order}q", front, place)
    return float(value)
