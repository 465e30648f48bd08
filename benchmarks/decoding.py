"""DICOM decoding: a picture that can be looked at, against the bare values of plain pydicom.

Ours opens the file, checks what it claims, decodes one frame, applies slope, window and palette, and gives
RGB of 8 bits; `pydicom.dcmread(path).pixel_array` gives the stored values of all frames. Both read the
files that pydicom's package ships and both can decode, of one frame each, A B A B.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

from benchmarks.table import Row, interleaved
from pefomed.errors import ImageError
from pefomed.images.dicom_source import FAULTS
from pefomed.images.images import open_image

KINDS = {
    "not compressed": ("ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian"),
    "run lengths": ("RLELossless",),
    "JPEG": ("JPEGBaseline8Bit", "JPEGExtended12Bit"),
    "lossless JPEG": ("JPEGLossless", "JPEGLosslessSV1"),
    "JPEG-LS": ("JPEGLSLossless", "JPEGLSNearLossless"),
    "JPEG 2000": ("JPEG2000Lossless", "JPEG2000"),
}
"""The name of a row -> the transfer syntaxes of its files, by pydicom's keyword."""

QUICK = 3200
"""Most bytes of a file in a smoke test."""


def measure(quick: bool) -> list[Row]:
    """Return a row for all files and one for each kind of compression; none without pydicom."""
    try:
        files = readable(QUICK if quick else None)
    except ModuleNotFoundError:
        return []
    rounds = 2 if quick else 9
    rows = [_row("all files", [path for paths in files.values() for path in paths], rounds)]
    return rows + [_row(kind, paths, rounds) for kind, paths in files.items()]


def readable(largest: int | None = None) -> dict[str, list[Path]]:
    """Return by kind the files of one frame that pydicom ships and that both sides can decode.

    Args:
        largest: most bytes of a file.
    """
    import pydicom.data

    folder = Path(pydicom.data.__file__).parent / "test_files"
    found: dict[str, list[Path]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(folder.glob("*.dcm")):
            if largest is not None and path.stat().st_size > largest:
                continue
            try:
                header = pydicom.dcmread(path)
                keyword = header.file_meta.TransferSyntaxUID.keyword
                one = int(header.get("NumberOfFrames") or 1) == 1
                kind = next((name for name, keywords in KINDS.items() if keyword in keywords), None)
                if one and kind is not None:
                    _ours(path)
                    _ordinary(path)
                    found.setdefault(kind, []).append(path)
            except (*FAULTS, ImageError, pydicom.errors.InvalidDicomError):
                continue  # reports, plans, damaged ones; what only one of the sides can decode
    return {kind: found[kind] for kind in KINDS if kind in found}


def _row(kind: str, paths: list[Path], rounds: int) -> Row:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = interleaved([(partial(_each, _ours, paths), partial(_each, _ordinary, paths))] * rounds)
    rates = [len(paths) / sorted(seconds)[rounds // 2] for seconds in (times.ours, times.ordinary)]
    return Row(
        "DICOM decoding", kind, "files/s", rates[0], rates[1], times.ratio,
        min(times.ratios), max(times.ratios),
        note=f"{len(paths)} files; pydicom gives stored values, ours a picture",
    )  # fmt: skip


def _each(read: object, paths: list[Path]) -> None:
    assert callable(read)
    for path in paths:
        read(path)


def _ours(path: Path) -> None:
    open_image(path)


def _ordinary(path: Path) -> None:
    import pydicom

    _ = pydicom.dcmread(path).pixel_array
