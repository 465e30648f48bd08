"""A DICOM file: its header, and one frame's stored values at a time (DICOM PS3.5, PS3.10).

Nothing is read beyond the header and the frame asked for, and nothing is decoded before its size has
been checked: a deflated header is inflated up to a limit, and a compressed frame has to claim
the size that the header gives.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import ImageError
from pefomed.images.codestreams import claimed_size
from pefomed.images.dicom_gdcm import is_for_gdcm, stored_by_gdcm
from pefomed.images.dicom_source import FAULTS, Clamped, data_set, encoding, prepare
from pefomed.images.image_errors import check_size, damaged_image

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
"""Endings of files that are read as DICOM even without its magic word."""

_PIXELS = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
    (0x7FE0, 0x0010): "PixelData",
}
_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")
_DECODERS = {
    "RLELossless": ("pydicom",),
    "JPEGBaseline8Bit": ("pillow",),
    "JPEGExtended12Bit": ("pillow",),
    "JPEGLSLossless": ("pyjpegls",),
    "JPEGLSNearLossless": ("pyjpegls",),
}
"""By keyword of the transfer syntax, in the order they are asked; `pylibjpeg` for all that is JPEG 2000.

Fewer than pydicom would ask: on damaged frames GDCM's decoders abort the process and `pylibjpeg-rle`
panics. Lossless JPEG and JPEG of 12 bits are GDCM's, in a process of its own: `gdcm_frames`.
"""


def is_dicom(path: Path) -> bool:
    """Return whether the file has DICOM's magic word, or one of its endings."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM" or path.suffix.lower() in SUFFIXES
    except OSError:  # who opens it next says so
        return False


@contextmanager
def open_dicom_file(path: Path) -> Iterator[DicomFile]:
    """Open a DICOM file; whatever goes wrong in it while the block runs is an `ImageError`.

    Raises:
        ImageError: it is damaged, no DICOM, without pixels, or pydicom is not installed.
    """
    prepare(path)
    from pydicom.errors import BytesLengthException

    try:
        with path.open("rb") as raw:
            yield DicomFile(path, Clamped(raw))
    except (*FAULTS, BytesLengthException) as error:
        raise damaged_image(path, _first_line(error)) from None


class DicomFile:
    """Header and frames of an opened file; made by `open_dicom_file`."""

    def __init__(self, path: Path, file: Clamped):
        from pydicom import dcmread

        self.path = path
        self._file, deflated = data_set(path, file)
        self.header: FileDataset = dcmread(self._file, stop_before_pixels=True, force=True)
        self._ended_within = file.ended_within
        self._start = self._file.tell()
        said = None if deflated else self.header.file_meta.get("TransferSyntaxUID")
        self.syntax = said or encoding(self.header)

    @property
    def frames(self) -> int:
        """The number of frames that the header gives, at least 1."""
        return max(1, int(self.header.get("NumberOfFrames") or 1))

    @property
    def kind(self) -> str:
        """The name of its class, empty if it says none: `CT Image Storage`."""
        named = self.header.get("SOPClassUID") or self.header.file_meta.get("MediaStorageSOPClassUID")
        return str(getattr(named, "name", "") or "")

    @property
    def is_without_picture(self) -> bool:
        """Whether it is whole and of a kind without picture; one that ends inside its header is damaged."""
        if self.header.get("Rows") is not None and self.header.get("Columns") is not None:
            return False
        pictures = "Image Storage" in self.kind or "Segmentation" in self.kind
        return not (self._ended_within or pictures or not len(self.header))

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows.

        Raises:
            ImageError: there are none, the file ends before them, or they are above the limits.
        """
        rows, columns = self.header.get("Rows"), self.header.get("Columns")
        if rows is None or columns is None:
            kind = self.kind or "of an unknown class"
            if not self.is_without_picture:
                raise damaged_image(self.path, f"its header ends before the picture's size ({kind})")
            raise ImageError(
                f"{self.path} holds no image",
                found=f"a DICOM file without pixels ({kind})",
                remedy="leave it out; reports, plans and waveforms have no picture",
            )
        values = int(self.header.get("SamplesPerPixel") or 1)
        bits = int(self.header.get("BitsAllocated") or 8)
        check_size(self.path, int(columns), int(rows), max(1, values * bits // 8))
        return int(columns), int(rows)

    def pixel_digest(self) -> str:
        """Return the SHA-256 of what stands behind the header: all frames as they are stored."""
        digest = hashlib.sha256()
        self._file.seek(self._start)
        while part := self._file.read(1 << 20):
            digest.update(part)
        return digest.hexdigest()

    def stored(self, frame: int) -> NDArray[Any]:
        """Return a frame's values (rows, columns) or, in colour, (rows, columns, 3) in RGB.

        Raises:
            ImageError: there is no such frame, or no decoder for it.
        """
        from pydicom.pixels.decoders.base import get_decoder
        from pydicom.pixels.utils import as_pixel_options

        size = self.size
        if frame >= self.frames:
            raise ImageError(
                f"{self.path} has no frame {frame}",
                found=f"{self.frames} frames" if self.frames > 1 else "one frame",
                remedy="frames count from 0",
            )
        try:
            decoder = get_decoder(self.syntax)
        except NotImplementedError:
            raise self._unsupported("") from None
        options = as_pixel_options(self.header, transfer_syntax_uid=self.syntax, **self._to_pixels())
        options["number_of_frames"] = self.frames
        if not self.syntax.is_encapsulated:
            self._check_length(frame, options, size)
            array, _ = decoder.as_array(self._file, index=frame, **options)
            return array
        start = self._file.tell()
        data = self._checked_frame(frame, options, size)
        if is_for_gdcm(self.syntax, data):
            return stored_by_gdcm(self.path, self.header, self.syntax, data)
        faults = []
        for name in _DECODERS.get(self.syntax.keyword, ("pylibjpeg",)):
            if name not in decoder.available_plugins:
                continue
            self._file.seek(start)
            try:
                array, _ = decoder.as_array(self._file, index=frame, decoding_plugin=name, **options)
            except FAULTS as error:
                faults.append(_first_line(error))
            else:
                return np.ascontiguousarray(array)
        raise self._unsupported("; ".join(dict.fromkeys(faults)))

    def _to_pixels(self) -> dict[str, str]:
        """Put the file at the pixels' first byte and return what is said in front of it."""
        self._file.seek(self._start)
        order = "<" if self.syntax.is_little_endian else ">"
        front = self._file.read(8)
        if len(front) < 8:
            raise damaged_image(self.path, "no pixels behind the header")
        group, element = struct.unpack(f"{order}HH", front[:4])
        keyword = _PIXELS.get((group, element))
        if keyword is None:
            raise damaged_image(self.path, f"({group:04x},{element:04x}) where the pixels should be")
        # Some files are implicit where their syntax says explicit: what stands there counts.
        if front[4:6] not in _VRS:
            return {"pixel_keyword": keyword}
        self._file.read(4)
        return {"pixel_keyword": keyword, "pixel_vr": front[4:6].decode("ascii")}

    def _check_length(self, frame: int, options: Any, size: tuple[int, int]) -> None:
        values = size[0] * size[1] * int(options.get("samples_per_pixel") or 1)
        bits = values * int(options.get("bits_allocated") or 8)
        if options.get("photometric_interpretation") == "YBR_FULL_422":
            bits = bits * 2 // 3  # of two pixels the second has no colour of its own
        needed = math.ceil(bits * (frame + 1) / 8)
        start = self._file.tell()
        there = self._file.seek(0, 2) - start
        self._file.seek(start)
        if there < needed:
            raise damaged_image(
                self.path, f"{there:,} bytes of pixels where frame {frame} ends at {needed:,}"
            )

    def _checked_frame(self, frame: int, options: Any, size: tuple[int, int]) -> bytes:
        from pydicom.encaps import get_frame

        offsets = options.get("extended_offsets")
        data = get_frame(self._file, frame, number_of_frames=self.frames, extended_offsets=offsets)
        claimed = claimed_size(data)
        # A JPEG's height may be 0, to be told after the lines: its width is limited all the same.
        if claimed is not None and (claimed[0] != size[0] or claimed[1] not in (size[1], 0)):
            raise damaged_image(
                self.path,
                f"a frame of {claimed[0]} x {claimed[1]} pixels where the header says {size[0]} x {size[1]}",
            )
        samples = int(options.get("samples_per_pixel") or 1)
        if claimed is not None and claimed[2] > max(samples, 4):
            raise damaged_image(
                self.path, f"a frame of {claimed[2]} components where the header says {samples}"
            )
        if self.syntax.keyword == "RLELossless":
            # PackBits (PS3.5, G.3): two bytes become up to 128, and are at worst 129 for 128.
            most = size[0] * size[1] * samples * math.ceil(int(options.get("bits_allocated") or 8) / 8)
            if len(data) > 2 * most + 65536:
                raise damaged_image(
                    self.path, f"a frame of {len(data):,} bytes where {most:,} are to come of it"
                )
        # The decoder of JPEG-LS looks for seconds for what a cut frame does not hold.
        if self.syntax.keyword.startswith("JPEGLS") and data.rstrip(b"\0")[-2:] != b"\xff\xd9":
            raise damaged_image(self.path, "a compressed frame without its end")
        return data

    def _unsupported(self, found: str) -> ImageError:
        return ImageError(
            f"{self.path} cannot be decoded: it is stored as {getattr(self.syntax, 'name', self.syntax)}",
            found=found or "no decoder for it",
            remedy="copy it again if it may be damaged, or convert it, e.g. with `gdcmconv --raw`",
        )


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split()).removeprefix(
        "Unable to decode as exceptions were raised by all available plugins: "
    )
    return text[:200] or type(error).__name__
