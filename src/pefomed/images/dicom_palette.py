"""Colour palettes: whole, and the segmented ones measured before they are unfolded (DICOM PS3.3 C.7.9.2)."""

from __future__ import annotations

import struct

from pefomed.images.dicom_file import DicomFile
from pefomed.images.image_errors import damaged_image

ENTRIES = 65_536
"""Most entries of a palette: 16 bits address no more."""


def check_palette(file: DicomFile) -> None:
    """Refuse a palette that lacks a part, and a segmented one that would unfold to more than `ENTRIES`.

    Raises:
        ImageError: it does or would, or a segment points back at others, which could multiply without end.
    """
    bits = int(file.header.get("BitsAllocated") or 8)
    order = "<" if file.syntax.is_little_endian else ">"
    _check_whole(file)
    for colour in _COLOURS:
        data = file.header.get(f"Segmented{colour}PaletteColorLookupTableData")
        if not isinstance(data, bytes):
            continue
        width = "B" if bits == 8 else "H"
        count = len(data) // struct.calcsize(width)
        values = struct.unpack_from(f"{order}{count}{width}", data)
        if _unfolded(values) > ENTRIES:
            raise damaged_image(
                file.path, f"a segmented palette of more than {ENTRIES:,} entries, or one in a loop"
            )


_COLOURS = ("Red", "Green", "Blue")


def _check_whole(file: DicomFile) -> None:
    for colour in _COLOURS:
        name = f"{colour}PaletteColorLookupTable"
        if len(file.header.get(f"{name}Descriptor") or ()) != 3:
            raise damaged_image(file.path, f"its palette has no description of {colour.lower()}")
        if not (file.header.get(f"{name}Data") or file.header.get(f"Segmented{name}Data")):
            raise damaged_image(file.path, f"its palette has no table of {colour.lower()}")


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
