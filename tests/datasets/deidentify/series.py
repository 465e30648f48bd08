"""Series of slices made for tests."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tests.datasets.made_dicom import made

from pefomed.deidentify import ImportSettings
from pefomed.images.windows import AUTO

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
AXIAL = [1, 0, 0, 0, 1, 0]
WHO = {
    "PatientID": "4711", "PatientName": "Muster^Anne", "PatientBirthDate": "19300102", "PatientSex": "F",
    "StudyInstanceUID": "1.2.3.1", "StudyID": "S1", "StudyDate": "20230405", "StudyTime": "101112",
    "AccessionNumber": "ACC-99", "ReferringPhysicianName": "Hase^Ines",
    "SeriesNumber": 3, "Modality": "CT", "SOPClassUID": CT_IMAGE, "Manufacturer": "none",
    "FrameOfReferenceUID": "1.2.3.9", "PositionReferenceIndicator": "", "RescaleSlope": 1,
    "RescaleIntercept": -1024, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "SliceThickness": 2,
}  # fmt: skip


def slice_at(
    path: Path,
    z: float,
    number: int = 1,
    shape: tuple[int, int] = (12, 16),
    series: str = "1.2.3.1.1",
    **more: Any,
) -> Path:
    """Write an axial slice at z millimetres, whose pixels all are z."""
    standard: dict[str, Any] = {
        **WHO, "SeriesInstanceUID": series, "SOPInstanceUID": f"{series}.{abs(hash(path)) % 10**9}",
        "InstanceNumber": number, "ImageOrientationPatient": AXIAL,
        "ImagePositionPatient": [-10, -20, z], "PixelSpacing": [0.5, 0.5],
    }  # fmt: skip
    pixels = np.full(shape, round(z) + 1024, np.uint16)
    return made(path, pixels, **(standard | more))


def settings(**changes: Any) -> ImportSettings:
    return ImportSettings(**({"windows": {"": AUTO}} | changes))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def positions(out: Path, **where: str) -> Sequence[float]:
    """Return the positions of the table's rows, in its order."""
    return [
        float(row["position"])
        for row in rows(out / "table.csv")
        if all(row[key] == value for key, value in where.items())
    ]
