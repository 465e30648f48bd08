"""Where the bytes of a DICOM file come from: read up to the end and no further, inflated up to a limit."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pefomed.errors import ImageError, PackageError
from pefomed.images.image_errors import absent

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What pydicom and the decoders raise on damaged files, besides pydicom's own `BytesLengthException`."""

INFLATED_LIMIT = 2**29
"""Most bytes that a deflated file may become."""


class Clamped(io.BufferedIOBase):
    """A file whose reads end at its end: a length that lies takes no memory."""

    def __init__(self, file: BinaryIO):
        self._file, self.name = file, getattr(file, "name", "")
        self._size = os.fstat(file.fileno()).st_size
        self.ended_within = False
        """Whether a read asked for more than was left."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self._file.tell())
        if size is not None and left < size and left > 0:
            self.ended_within = True
        return self._file.read(left if size is None or size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def prepare(path: Path) -> None:
    """Import pydicom and make it as forgiving as it can be.

    Raises:
        ImageError: it is not installed; `path` is the file it is needed for.
    """
    try:
        import pydicom
    except PackageError:
        raise
    except ModuleNotFoundError as error:
        if error.name != "pydicom":
            raise
        raise absent(path, "a DICOM file", "pydicom") from None
    config = pydicom.config
    if config.settings.reading_validation_mode != config.IGNORE:
        # Hospitals' files break the standard everywhere; what cannot be shown is an error of ours.
        config.settings.reading_validation_mode = config.IGNORE
        warnings.filterwarnings("ignore", module="pydicom")


def data_set(path: Path, file: Clamped) -> tuple[BinaryIO, bool]:
    """Return the file, or the data set that is deflated in it; and whether it was.

    Raises:
        ImageError: it would become larger than `INFLATED_LIMIT`.
    """
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    front = file.read(132)
    file.seek(0)
    if front[128:] != b"DICM":
        return cast(BinaryIO, file), False
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return cast(BinaryIO, file), False
    # The group's length stands in its first element: (0002,0000) UL, 12 bytes with its own front.
    file.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(file.read(), INFLATED_LIMIT)
    if inflater.unconsumed_tail and not inflater.eof:
        raise ImageError(
            f"{path} is too large: a deflated file may become {INFLATED_LIMIT:,} bytes",
            found="more than that",
            remedy="inflate it with another program, e.g. `dcmconv +te`, if it is really so large",
        )
    return io.BytesIO(data), True


def encoding(header: FileDataset) -> Any:
    """Return the uncompressed transfer syntax that a header was read by."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    implicit, little = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian
