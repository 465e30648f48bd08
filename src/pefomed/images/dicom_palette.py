"""Segmented colour palettes, measured before they are unfolded (DICOM PS3.3 C.7.9.2)."""

from __future__ import annotations

import struct

from pefomed.images.dicom_file import DicomFile
from pefomed.images.image_errors import damaged

ENTRIES = 65_536
"""Most entries of a palette: 16 bits address no more."""


def check_palette(file: DicomFile) -> None:
    """Refuse a segmented palette that would unfold to more than `ENTRIES`.

    Raises:
        ImageError: it would, or a segment points back at others, which could multiply without end.
    """
    bits = int(file.header.get("BitsAllocated") or 8)
    order = "<" if file.syntax.is_little_endian else ">"
    for colour in ("Red", "Green", "Blue"):
        data = file.header.get(f"Segmented{colour}PaletteColorLookupTableData")
        if not isinstance(data, bytes):
            continue
        width = "B" if bits == 8 else "H"
        count = len(data) // struct.calcsize(width)
        values = struct.unpack_from(f"{order}{count}{width}", data)
        if _unfolded(values) > ENTRIES:
            raise damaged(
                file.path, f"a segmented palette of more than {ENTRIES:,} entries, or one in a loop"
            )


def _unfolded(values: tuple[int, ...]) -> int:
    place = total = 0
    while place + 1 < len(values):
        kind, length = values[place], values[place + 1]
        if kind == 0:  # discrete: the values follow
            place += 2 + length
        elif kind == 1:  # linear: the end follows
            place += 3
        else:
            return ENTRIES + 1
        total += length
    return total
