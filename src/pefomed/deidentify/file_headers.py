"""What the header of a file says about where its images lie: read of all files before one is converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pefomed.deidentify.people import as_meant
from pefomed.deidentify.stacks import is_placed
from pefomed.errors import ImageError
from pefomed.images.dicom_file import DicomFile, is_dicom, open_dicom_file
from pefomed.images.dicom_header import of_frame, spacing_of
from pefomed.images.volume_files import is_volume
from pefomed.schema import Record

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FRAME_LIMIT = 20_000
"""Most frames of a file that are looked at."""

ANNOTATIONS = {"SR": "SR", "SEG": "SEG", "RTSTRUCT": "RTSTRUCT"}
SECTIONS = ("CT", "MR", "PT")
"""Modalities whose images are slices."""

# What sets images at one position apart.
_ORDER = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "EchoNumbers", "EchoTime", "DiffusionBValue",
    "TriggerTime", "AcquisitionNumber", "AcquisitionTime", "ContentTime", "SOPInstanceUID",
)  # fmt: skip


class FramePosition(Record):
    """Where one frame lies."""

    frame: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    """Height and width of a pixel in millimetres, empty if unknown."""
    order: tuple[str, ...] = ()


class SourceFile(Record):
    """One file of the source folder, before anything is made of it."""

    source: str
    size: int
    changed: int
    kind: Literal["image", "annotation", "volume", "other"]
    modality: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""
    frame_of_reference: str = ""
    matrix: tuple[int, int] = (0, 0)
    """Columns and rows."""
    frames: int = 0
    places: tuple[FramePosition, ...] = ()
    """Of the frames that say where they lie."""
    scout: bool = False
    tilt: float = 0.0


def look(path: Path, source: str) -> SourceFile:
    """Return what a file's header says; one that cannot be read is `other`: who converts it says why."""
    state = path.stat()
    about: dict[str, Any] = {"source": source, "size": state.st_size, "changed": state.st_mtime_ns}
    if is_volume(path):
        return SourceFile(**about, kind="volume")
    try:
        if state.st_size == 0 or not is_dicom(path):
            return SourceFile(**about, kind="other")
        with open_dicom_file(path) as file:
            return _looked(file, about)
    except ImageError:
        return SourceFile(**about, kind="other")


def is_annotation(header: Dataset) -> bool:
    """Return whether a header is one of a report, segmentation or structure set."""
    return header.get("Modality") in ANNOTATIONS


def text(value: Any) -> str:
    """Return a value of a header as text, several of them parted by `/`."""
    if value is None:
        return ""
    return as_meant("/".join(map(str, value)) if hasattr(value, "append") else str(value).strip())


def numbers(value: Any) -> tuple[float, ...]:
    """Return the numbers of a value, empty if one of them is none."""
    parts = value if hasattr(value, "append") or isinstance(value, list | tuple) else [value]
    try:
        return tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        return ()


def _looked(file: DicomFile, about: dict[str, Any]) -> SourceFile:
    header = file.header
    about |= {
        "modality": text(header.get("Modality")),
        "study": text(header.get("StudyInstanceUID")) or str(file.path.parent),
        "instance": text(header.get("SOPInstanceUID")),
        "frame_of_reference": text(header.get("FrameOfReferenceUID")),
    }
    about["series"] = text(header.get("SeriesInstanceUID")) or about["study"]
    if is_annotation(header):
        return SourceFile(**about, kind="annotation")
    if file.is_without_picture:
        return SourceFile(**about, kind="other")
    if file.frames > FRAME_LIMIT:
        raise ImageError(f"{file.path} has {file.frames:,} frames", found=f"more than {FRAME_LIMIT:,}")
    types = set(text(header.get("ImageType")).upper().split("/"))
    return SourceFile(
        **about,
        kind="image",
        matrix=file.size,
        frames=file.frames,
        places=tuple(
            place for frame in range(file.frames) if (place := _place(header, frame, file.frames)) is not None
        ),
        scout=bool(types & {"LOCALIZER", "SCOUT", "TOPOGRAM"}),
        tilt=next(iter(numbers(header.get("GantryDetectorTilt"))), 0.0),
    )


def _place(header: Dataset, frame: int, frames: int) -> FramePosition | None:
    about = of_frame(header, frame)
    position, orientation = (
        numbers(about.get("ImagePositionPatient")),
        numbers(about.get("ImageOrientationPatient")),
    )
    own = "PerFrameFunctionalGroupsSequence" in header
    # One position of a file of several frames is that of the first one.
    if not is_placed(position, orientation) or (frames > 1 and not own):
        return None
    height, width = spacing_of(about)
    return FramePosition(
        frame=frame,
        position=position,
        orientation=orientation,
        spacing=(height, width) if "PixelSpacing" in about else (),
        order=tuple(_sortable(header, frame, keyword) for keyword in _ORDER),
    )


def _sortable(header: Dataset, frame: int, keyword: str) -> str:
    value = text(header.get(keyword))
    try:
        return f"{float(value):024.6f}"
    except ValueError:
        return value
