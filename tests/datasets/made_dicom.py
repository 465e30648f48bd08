"""DICOM files made for tests: any pixels, any attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="the extra `dicom` is not installed")

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def corpus() -> list[Path]:
    """Return the test files that pydicom's wheel ships."""
    import pydicom.data

    folder = Path(pydicom.data.__file__).parent
    files = (
        path for place in ("test_files", "charset_files", "palettes") for path in (folder / place).rglob("*")
    )
    return sorted(
        path for path in files if path.is_file() and path.suffix not in (".py", ".pyc", ".md", ".txt")
    )


def corpus_file(name: str) -> Path:
    """Return one of them by name; skip the test where this release of pydicom does not ship it."""
    found = [path for path in corpus() if path.name == name]
    if not found:
        pytest.skip(f"this pydicom does not ship {name}")
    return found[0]


def header(**attributes: Any) -> Any:
    """Return a data set with the attributes by keyword."""
    made = pydicom.Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def made(
    path: Path, pixels: Any, syntax: str | None = None, frames: list[bytes] | None = None, **attributes: Any
) -> Path:
    """Write `pixels` (rows, columns), (frames, rows, columns) or (rows, columns, 3) with the attributes.

    Args:
        frames: what stands for the pixels in a compressed `syntax`.
    """
    from pydicom.encaps import encapsulate
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    pixels = np.asarray(pixels)
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    rows, columns = pixels.shape[:2] if colour or pixels.ndim == 2 else pixels.shape[1:]
    bits = pixels.dtype.itemsize * 8
    standard = {
        "SOPClassUID": SECONDARY_CAPTURE, "SOPInstanceUID": generate_uid(), "Rows": rows, "Columns": columns,
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }  # fmt: skip
    if colour:
        standard["PlanarConfiguration"] = 0
    elif pixels.ndim == 3:
        standard["NumberOfFrames"] = len(pixels)
    data = header(**(standard | attributes))
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax or ExplicitVRLittleEndian
    raw = pixels.tobytes()
    data.PixelData = encapsulate(frames) if frames else raw + bytes(len(raw) % 2)
    data["PixelData"].VR = "OB" if bits == 8 or frames else "OW"
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path
