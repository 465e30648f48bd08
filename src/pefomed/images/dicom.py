"""DICOM frames as they are meant to be seen: rescaled, windowed, MONOCHROME1 turned, in RGB.

Greys go through the transformations of PS3.4 N.2 in their order, each a function of the stored value:

    stored -> modality (slope and intercept, or table) -> window (or table) -> grey -> inverted if MONOCHROME1

Enhanced multi-frame objects say the first two per frame. Padding (PS3.3 C.7.5.1.1.2) is black and
counts for no window. Overlays are not drawn. Pixels that are not square are made so (`squared`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images.addresses import ImageAddress
from pefomed.images.dicom_file import DicomFile, open_dicom_file
from pefomed.images.dicom_header import number, numbers, of_frame, spacing_of
from pefomed.images.dicom_palette import check_palette
from pefomed.images.image_errors import not_for
from pefomed.images.memory import room_for
from pefomed.images.square import squared, squared_size
from pefomed.images.windows import (
    AUTO,
    FUNCTIONS,
    Counts,
    Values,
    Window,
    in_colour,
    limits_of,
    render,
    shares,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def open_dicom(where: ImageAddress, held: ExitStack) -> Image.Image:
    """Decode one frame to an RGB image; the memory it needs stays taken until `held` is closed.

    Raises:
        ImageError: the file is damaged, too large, or has no such frame or window.
    """
    _check(where)
    with open_dicom_file(where.file) as file:
        held.enter_context(room(file))
        return picture(file, where.frame or 0, where.window)


def room(file: DicomFile) -> AbstractContextManager[None]:
    """Hold the memory that one frame needs.

    Raises:
        ImageError: it needs more than one picture may.
    """
    columns, rows = file.size
    values = max(1, int(file.header.get("SamplesPerPixel") or 1))
    each = max(1, int(file.header.get("BitsAllocated") or 8) // 8)
    # As stored and as decoded, the greys, the RGB image; of more than 16 bits all is done in float64.
    needed = values * (3 * each + 1 if each <= 2 else 40) + 8
    return room_for(file.path, columns * rows, needed)


def dicom_size(where: ImageAddress, square: bool = True) -> tuple[int, int]:
    """Return width and height in pixels, as `open_dicom` would give them, from the header alone.

    Args:
        square: whether the pixels are made square.

    Raises:
        ImageError: see `open_dicom`.
    """
    _check(where)
    with open_dicom_file(where.file) as file:
        if not square:
            return file.size
        return squared_size(file.path, file.size, spacing_of(of_frame(file.header, where.frame or 0)))


def picture(file: DicomFile, frame: int, window: Window = AUTO, square: bool = True) -> Image.Image:
    """Return a frame of an opened file as an RGB image.

    Args:
        square: whether the pixels are made square.

    Raises:
        ImageError: there is no such frame or window; a colour image has none but `auto`.
    """
    about = of_frame(file.header, frame)
    stored = file.stored(frame)
    if stored.ndim == 3 or about.get("PhotometricInterpretation") == "PALETTE COLOR":
        if window != AUTO:
            raise not_for(file.path, "window", "in colour", "leave `window` out")
        colours = _palette(file, stored) if stored.ndim == 2 else stored
        image = Image.fromarray(_eight_bits(colours, about))
    else:
        _check_units(file, about, window)
        values = in_colour(window, lambda each: _greys(file, stored, about, each))
        image = Image.fromarray(values).convert("RGB")
    return squared(file.path, image, spacing_of(about)) if square else image


def _check(where: ImageAddress) -> None:
    for key in ("axis", "index", "volume"):
        if getattr(where, key) is not None:
            raise not_for(where.file, key, "a DICOM file", "choose a `frame`; slices are for NIfTI")


def _check_units(file: DicomFile, about: Mapping[str, Any], window: Window) -> None:
    if window.in_hounsfield and about.get("Modality", "CT") != "CT":
        raise ImageError(
            f"{file.path}: the window {window.text!r} is in Hounsfield units, for CT",
            found=f"modality {about['Modality']}",
            remedy="use `auto`, `robust`, or CENTRE:WIDTH in the image's own units",
        )


def _greys(
    file: DicomFile, stored: NDArray[Any], about: Mapping[str, Any], window: Window
) -> NDArray[np.uint8]:
    def shade(codes: Values, counts: Counts) -> Values:
        values = _modality(codes, about)
        padding = _padding(codes, about)
        seen = np.where(padding, 0, counts)
        share = _windowed(file, values, seen, about, window)
        if about.get("PhotometricInterpretation") == "MONOCHROME1":
            share = 1 - share
        share[padding] = 0
        return share

    return render(stored, shade)


def _modality(codes: Values, about: Mapping[str, Any]) -> Values:
    tables = about.get("ModalityLUTSequence")
    if tables:
        from pydicom.dataset import Dataset
        from pydicom.pixels.processing import apply_modality_lut

        holder = Dataset()
        holder.ModalityLUTSequence = tables
        return apply_modality_lut(codes.astype(np.int64), holder).astype(np.float64)
    slope, intercept = number(about.get("RescaleSlope"), 1.0), number(about.get("RescaleIntercept"), 0.0)
    return codes * (slope or 1.0) + intercept


def _padding(codes: Values, about: Mapping[str, Any]) -> NDArray[np.bool_]:
    value = about.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(codes.shape, np.bool_)
    limit = about.get("PixelPaddingRangeLimit", value)
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    return (codes >= low) & (codes <= high)


def _windowed(
    file: DicomFile, values: Values, counts: Counts, about: Mapping[str, Any], window: Window
) -> Values:
    if window == AUTO or window.stored is not None:
        number = window.stored or 0
        tables = about.get("VOILUTSequence") or []
        if number < len(tables):
            return _by_table(values, tables[number])
        pairs = _windows(about)
        if number < len(pairs):
            name = str(about.get("VOILUTFunction", "LINEAR")).upper()
            return FUNCTIONS.get(name, FUNCTIONS["LINEAR"])(values, *pairs[number])
        if window.stored is not None:
            raise ImageError(
                f"{file.path} has no window number {number}",
                found=f"{len(tables) or len(pairs)} stored",
                remedy="they count from 0; use `auto`, `range`, `robust` or CENTRE:WIDTH",
            )
    return shares(values, window, limits_of(values, counts, window))


def _by_table(values: Values, table: Dataset) -> Values:
    from pydicom.dataset import Dataset
    from pydicom.pixels.processing import apply_voi

    holder = Dataset()
    holder.VOILUTSequence = [table]
    data = table.LUTData
    entries = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
    # A table's greys use all its bits (PS3.3 C.11.2.1.1); some files say 16 for a table of 12 or 8.
    bits = min(int(table.LUTDescriptor[2]), int(entries.max()).bit_length())
    top = 2 ** max(bits, 1) - 1
    looked_up = apply_voi(np.clip(np.rint(values), -(2**31), 2**31 - 1).astype(np.int64), holder)
    share: Values = np.clip(looked_up.astype(np.float64) / top, 0, 1)
    return share


def _windows(about: Mapping[str, Any]) -> list[tuple[float, float]]:
    centres, widths = numbers(about.get("WindowCenter")), numbers(about.get("WindowWidth"))
    pairs = zip(centres, widths, strict=False)
    return [(centre, width) for centre, width in pairs if np.isfinite(centre) and width > 0]


def _palette(file: DicomFile, stored: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut

    check_palette(file)
    colours: NDArray[Any] = apply_color_lut(stored, file.header)
    return colours[..., :3]


def _eight_bits(colours: NDArray[Any], about: Mapping[str, Any]) -> NDArray[np.uint8]:
    if colours.dtype == np.uint8:
        return np.ascontiguousarray(colours)
    bits = colours.dtype.itemsize * 8
    if about.get("PhotometricInterpretation") != "PALETTE COLOR":
        bits = min(max(int(about.get("BitsStored", bits)), 1), bits)  # damaged files say thousands
    top = float(2**bits - 1)
    return render(colours, lambda values, counts: np.clip(values / top, 0, 1))
