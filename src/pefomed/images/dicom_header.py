"""What a DICOM header says of one frame: its own groups come before the shared ones and the header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def of_frame(header: Dataset, frame: int) -> dict[str, Any]:
    """Return what holds for one frame, by keyword: its own groups, the shared ones, then the header."""
    groups = []
    for keyword, place in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        items = header.get(keyword) or []
        groups += [items[place]] if place < len(items) else []
    sources: list[Dataset] = []
    for group in groups:
        for keyword in (
            "PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence",
            "PlanePositionSequence", "PlaneOrientationSequence",
        ):  # fmt: skip
            sources += list(group.get(keyword) or [])[:1]
    found: dict[str, Any] = {}
    for source in [*sources, header]:
        for keyword in _KEYWORDS:
            if keyword not in found and source.get(keyword) not in (None, ""):
                found[keyword] = source.get(keyword)
    return found


def spacing_of(about: Mapping[str, Any]) -> tuple[float, float]:
    """Return a pixel's height and width, in any unit."""
    for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        found = numbers(about.get(keyword))
        if len(found) == 2:
            return found[0], found[1]
    return 1.0, 1.0


def numbers(value: Any) -> list[float]:
    """Return the numbers of an attribute, NaN for what is none."""
    if value is None or value == "":
        return []
    parts = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
    return [number(part, float("nan")) for part in parts]


def number(value: Any, default: float) -> float:
    """Return a number, `default` for what is none or not finite."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return default
    return found if np.isfinite(found) else default


_KEYWORDS = (
    "BitsStored", "ImageOrientationPatient", "ImagePositionPatient", "ImagerPixelSpacing", "Modality",
    "ModalityLUTSequence", "NominalScannedPixelSpacing", "PhotometricInterpretation", "PixelAspectRatio",
    "PixelPaddingRangeLimit", "PixelPaddingValue", "PixelSpacing", "RescaleIntercept", "RescaleSlope",
    "SliceThickness", "SpacingBetweenSlices", "VOILUTFunction", "VOILUTSequence", "WindowCenter",
    "WindowWidth",
)  # fmt: skip
