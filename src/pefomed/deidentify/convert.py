"""One DICOM file of a hospital as PNG images and rows of a table, without who it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pefomed.deidentify.annotations import annotation_record
from pefomed.deidentify.choice import ALL, Rule
from pefomed.deidentify.file_headers import FRAME_LIMIT, is_annotation
from pefomed.deidentify.file_headers import text as _text
from pefomed.deidentify.free_text import SEARCH
from pefomed.deidentify.profile import count_identifying
from pefomed.deidentify.pseudonyms import Pseudonyms
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.table_columns import columns_of
from pefomed.errors import ImageError
from pefomed.files.storage import write
from pefomed.images.dicom import picture, room
from pefomed.images.dicom_file import DicomFile, is_dicom, open_dicom_file
from pefomed.images.dicom_header import of_frame, spacing_of
from pefomed.images.png import png
from pefomed.images.windows import AUTO, Window

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Where devices write names and dates into the picture itself.
_DRAWN_ON = {
    "US",
    "IVUS",
    "ES",
    "XC",
    "GM",
    "OT",
    "SC",
    "DOC",
    "RF",
    "XA",
    "PX",
    "IO",
    "OP",
    "ECG",
    "HC",
    "BMD",
}


@dataclass(frozen=True)
class ImportSettings:
    """How every file of an import is treated."""

    windows: Mapping[str, Window]
    """By modality; the key `` is for all others."""
    keep: tuple[str, ...] = ()
    """Further attributes as columns, by keyword."""
    frames: Literal["first", "middle", "all"] = "all"
    slices: Rule = ALL
    """Of each stack of a series, by where they lie."""
    scouts: Literal["leave-out", "keep"] = "leave-out"
    parts: bool = False
    """Each part of a mask has a box, instead of one around the whole."""
    masks: str = ""
    """How volumes of labels are called; see `label_volumes`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Number of a label -> name. Empty: `label 1` and so on."""
    burned_in: Literal["leave-out", "keep"] = "leave-out"
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Of patients in train, validate and test."""


def convert(
    path: Path,
    source: str,
    out: Path,
    settings: ImportSettings,
    names: Pseudonyms,
    frames: Collection[int] | None = None,
) -> ImportRecord:
    """Write the images of one file below `out` and return what is to be noted.

    Args:
        frames: which ones; by default all.

    Raises:
        StorageError: the disk is full.
    """
    state = path.stat()
    about: dict[str, Any] = {"source": source, "size": state.st_size, "changed": state.st_mtime_ns}
    try:
        if state.st_size == 0 or not is_dicom(path):
            return ImportRecord(**about, outcome="not DICOM")
        with open_dicom_file(path) as file:
            if is_annotation(file.header):
                return annotation_record(file, settings.parts, names, about, _links(file, names))
            if file.is_without_picture:
                return ImportRecord(**about, outcome="no picture", detail=file.kind or "unknown")
            return _converted(file, out, settings, names, about, frames)
    except ImageError as error:
        detail = f"{error.problem}; found: {error.found}".replace(str(path), source)
        return ImportRecord(**about, outcome="unreadable", detail=detail)


def _converted(
    file: DicomFile,
    out: Path,
    settings: ImportSettings,
    names: Pseudonyms,
    about: dict[str, Any],
    frames: Collection[int] | None,
) -> ImportRecord:
    header = file.header
    if file.frames > FRAME_LIMIT:
        raise ImageError(f"{file.path} has {file.frames:,} frames", found=f"more than {FRAME_LIMIT:,}")
    burned, warnings = _burned_in(header)
    if burned == "yes" and settings.burned_in == "leave-out":
        return ImportRecord(
            **about, outcome="burned in", detail="BurnedInAnnotation is YES", warnings=warnings
        )
    links = _links(file, names)
    columns, findings = columns_of(header, settings.keep, links["patient"][0], names, 0)
    by_frame = "PerFrameFunctionalGroupsSequence" in header
    patient, study, instance = (links[kind][0] for kind in ("patient", "study", "instance"))
    rows = []
    for frame in range(file.frames) if frames is None else frames:
        window = _window(header, settings)
        if by_frame and frame:
            columns, _ = columns_of(header, settings.keep, links["patient"][0], names, frame)
        identifier = f"{instance}-{frame}" if file.frames > 1 else instance
        place = Path("images") / patient / study / f"{identifier}.png"
        with room(file):
            image = picture(file, frame, window, square=False)
            write(out / place, png(image, spacing_of(of_frame(header, frame))))
        rows.append(
            {
                "id": identifier,
                "image": place.as_posix(),
                "split": split_of(names.share("split", patient), settings.shares),
                "patient": patient,
                "study": study,
                "series": links["series"][0],
                "number": _text(header.get("InstanceNumber")),
                "frame": str(frame),
                "width": str(image.width),
                "height": str(image.height),
                "window": str(window),
                "burned_in": burned,
                **columns,
            }
        )
    return ImportRecord(
        **about,
        outcome="image",
        rows=tuple(rows),
        links=links,
        dropped=dict(count_identifying(header)),
        findings=findings,
        warnings=warnings,
        search=SEARCH,
    )


def _links(file: DicomFile, names: Pseudonyms) -> dict[str, tuple[str, str]]:
    header = file.header
    study = _text(header.get("StudyInstanceUID")) or str(file.path.parent)
    patient = _text(header.get("PatientID"))
    issuer = _text(header.get("IssuerOfPatientID"))
    # Without a number every study is a patient of its own: two never become one.
    patient = f"{patient}\\{issuer}" if patient and issuer else patient or f"study {study}"
    values = {
        "patient": patient,
        "study": study,
        "series": _text(header.get("SeriesInstanceUID")) or study,
        # Numbers of images that should be unique are not: two with other pixels are two images.
        "instance": f"{_text(header.get('SOPInstanceUID'))}\\{file.pixel_digest()}",
        "accession": _text(header.get("AccessionNumber")),
    }
    return {kind: (names(kind, value), value) for kind, value in values.items() if value}


def _burned_in(header: Dataset) -> tuple[str, tuple[str, ...]]:
    said = _text(header.get("BurnedInAnnotation")).upper()
    warnings = []
    if _text(header.get("RecognizableVisualFeatures")).upper() == "YES":
        warnings.append("recognizable visual features, as the file says")
    if said in ("YES", "NO"):
        return said.lower(), (
            *warnings,
            *(["burned-in annotation, as the file says"] if said == "YES" else []),
        )
    types = set(_text(header.get("ImageType")).upper().split("/"))
    captured = "ConversionType" in header or "SCREEN SAVE" in types or "SECONDARY" in types
    if _text(header.get("Modality")) in _DRAWN_ON or captured:
        return "suspect", (*warnings, "burned-in annotation is likely for this kind of image")
    return "unknown", tuple(warnings)


def _window(header: Dataset, settings: ImportSettings) -> Window:
    if header.get("SamplesPerPixel", 1) != 1 or header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return AUTO
    modality = _text(header.get("Modality"))
    if modality in settings.windows:
        return settings.windows[modality]
    other = settings.windows.get("", AUTO)
    return AUTO if other.in_hounsfield and modality != "CT" else other


def split_of(share: float, shares: tuple[float, float, float]) -> str:
    """Return the split of a patient with a share in [0, 1)."""
    return "train" if share < shares[0] else "validate" if share < shares[0] + shares[1] else "test"
