"""What a picture's first bytes claim, looked at before Pillow takes memory or decodes for it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pefomed.errors import ImageError
from pefomed.images.image_errors import BYTE_LIMIT, check_size

_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF_LIMIT = 4_000_000
"""A camera writes one part of at most 64 KiB. Older Pillow joins parts in the square of their number."""

_SAYING = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
"""PNG chunks that may say how the picture is turned."""


def check_claims(path: Path) -> None:
    """Refuse a file of too many bytes, and a WebP whose canvas is too large: opening it takes the canvas.

    Raises:
        ImageError: it is above the limits.
    """
    size = path.stat().st_size
    if size > BYTE_LIMIT:
        raise ImageError(
            f"{path} is too large: a picture's file has at most {BYTE_LIMIT:,} bytes",
            found=f"{size:,} bytes",
            remedy="save it compressed, scale it down, or cut it into tiles",
        )
    with path.open("rb") as file:
        claimed = _webp(file.read(30))
        about = _jpeg_exif(file)
    if about > _EXIF_LIMIT:
        raise ImageError(
            f"{path} is damaged or made to harm: at most {_EXIF_LIMIT:,} bytes of a JPEG are EXIF",
            found=f"{about:,} bytes",
            remedy="save the picture anew, without what is said about it",
        )
    if claimed is not None:
        check_size(path, *claimed, 4)


def turn_behind_pixels(path: Path) -> bool:
    """Return whether a PNG has anything behind its pixels that may say how it is turned (PNG, 5.3).

    Pillow decodes the pixels to find out, which takes seconds where the header would do.
    """
    with path.open("rb") as file:
        if file.read(8) != _PNG:
            return True
        behind = False
        for kind, length in _chunks(file):
            if kind == b"IEND":
                return False
            if kind == b"IDAT":
                behind = True
            elif behind and kind in _SAYING:
                return True
            file.seek(length + 4, 1)  # its checksum
    return True  # cut: who decodes it says so


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    while len(front := file.read(8)) == 8:
        (length,) = struct.unpack(">I", front[:4])
        yield front[4:], length


def _jpeg_exif(file: BinaryIO) -> int:
    """Return the bytes of EXIF in front of a JPEG's pixels (ITU T.81, B.1.1.4), 0 for any other file."""
    file.seek(0)
    if file.read(2) != b"\xff\xd8":
        return 0
    total = 0
    while len(front := file.read(4)) == 4 and front[0] == 0xFF and front[1] not in (0xDA, 0xD9):
        length = int.from_bytes(front[2:], "big")
        if length < 2:
            break  # who decodes it says so
        body = file.read(6) if front[1] == 0xE1 and length >= 8 else b""
        total += length if body == b"Exif\0\0" else 0
        file.seek(length - 2 - len(body), 1)
    return total


def _webp(front: bytes) -> tuple[int, int] | None:
    """Return width and height of a WebP (RFC 9649), None for any other file."""
    if front[:4] != b"RIFF" or front[8:12] != b"WEBP" or len(front) < 30:
        return None
    kind = front[12:16]
    if kind == b"VP8X":
        return int.from_bytes(front[24:27], "little") + 1, int.from_bytes(front[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(front[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", front[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None
