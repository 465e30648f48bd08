"""The size that a compressed frame claims for itself, read from its header.

A decoder takes memory for what the frame says (JPEG: ITU-T T.81, B.2.2; JPEG-LS: T.87, C.2.2;
JPEG 2000: T.800, A.5.1), whatever the file around it says: the two are compared before decoding.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

LOSSLESS = 0xC3
"""The frame header's marker of lossless JPEG with Huffman codes."""

_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_STANDALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}
_CODESTREAM = b"\xff\x4f\xff\x51"


class JpegFrame(NamedTuple):
    """What the frame header of a JPEG says (ITU-T T.81, B.2.2)."""

    process: int
    """Its marker's second byte."""
    precision: int
    """Bits of a sample."""
    width: int
    height: int
    components: int


def claimed_size(frame: bytes) -> tuple[int, int, int] | None:
    """Return (width, height, components) of a JPEG, JPEG-LS or JPEG 2000 frame; None for any other."""
    if frame[:2] == b"\xff\xd8":
        found = jpeg_frame(frame)
        return (found.width, found.height, found.components) if found else None
    start = frame[:4096].find(_CODESTREAM)  # JP2 boxes may stand before it
    return _jpeg_2000(frame, start + 4) if start >= 0 else None


def jpeg_frame(frame: bytes) -> JpegFrame | None:
    """Return the frame header of a JPEG or JPEG-LS, None where there is none."""
    if frame[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 4 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker == 0xFF or marker in _STANDALONE:
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", frame, place + 2)
        if marker in _FRAME_HEADERS:
            if place + 10 > len(frame):
                return None
            precision, height, width, components = struct.unpack_from(">BHHB", frame, place + 4)
            return JpegFrame(marker, precision, width, height, components)
        place += 2 + length
    return None


def _jpeg_2000(frame: bytes, place: int) -> tuple[int, int, int] | None:
    if place + 38 > len(frame):
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", frame, place + 4)
    (components,) = struct.unpack_from(">H", frame, place + 36)
    return right - left, bottom - top, components
