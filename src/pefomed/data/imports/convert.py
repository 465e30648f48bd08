"""One DICOM file of a hospital as PNG images and rows of a table, without who it is."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from pefomed.data.imports.free_text import SEARCH, coded, searched
from pefomed.data.imports.people import as_meant, known_words
from pefomed.data.imports.profile import dropped
from pefomed.data.imports.pseudonyms import Pseudonyms
from pefomed.data.imports.records import Imported
from pefomed.data.pictures.dicom import picture, room
from pefomed.data.pictures.dicom_file import DicomFile, is_dicom, opened
from pefomed.data.pictures.windows import AUTO, NAMED, Window
from pefomed.errors import ImageError
from pefomed.storage import write

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

COLUMNS = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view_position": "ViewPosition",
    "laterality": "Laterality",
}
"""Columns of every table; none of them is identifying under the profile."""

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

_BINARY = frozenset("FL FD SL SS SV UL US UV".split())
# One of several values may be empty.
_NUMBERS = re.compile(r"(?=.*\d)(?:\s*(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*)?(?:/|$))+")


@dataclass(frozen=True)
class Settings:
    """How every file of an import is treated."""

    windows: Mapping[str, Window]
    """By modality; the key `` is for all others."""
    keep: tuple[str, ...] = ()
    """Further attributes as columns, by keyword."""
    frames: Literal["first", "middle", "all"] = "all"
    burned_in: Literal["leave-out", "keep"] = "leave-out"
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Of patients in train, validate and test."""


def convert(path: Path, source: str, out: Path, settings: Settings, names: Pseudonyms) -> Imported:
    """Write the images of one file below `out` and return what is to be noted.

    Raises:
        StorageError: the disk is full.
    """
    state = path.stat()
    about: dict[str, Any] = {"source": source, "size": state.st_size, "changed": state.st_mtime_ns}
    try:
        if state.st_size == 0 or not is_dicom(path):
            return Imported(**about, outcome="not DICOM")
        with opened(path) as file:
            if file.is_without_picture:
                return Imported(**about, outcome="no picture", detail=file.kind or "unknown")
            return _converted(file, out, settings, names, about)
    except ImageError as error:
        detail = f"{error.problem}; found: {error.found}".replace(str(path), source)
        return Imported(**about, outcome="unreadable", detail=detail)


def _converted(
    file: DicomFile, out: Path, settings: Settings, names: Pseudonyms, about: dict[str, Any]
) -> Imported:
    header = file.header
    burned, warnings = _burned_in(header)
    if burned == "yes" and settings.burned_in == "leave-out":
        return Imported(**about, outcome="burned in", detail="BurnedInAnnotation is YES", warnings=warnings)
    links = _links(file, names)
    columns, findings = _columns(header, settings, links["patient"][0], names, 0)
    by_frame = "PerFrameFunctionalGroupsSequence" in header
    patient, study, instance = (links[kind][0] for kind in ("patient", "study", "instance"))
    rows = []
    for frame in _frames(file, settings):
        window = _window(header, settings)
        if by_frame and frame:
            columns, _ = _columns(header, settings, links["patient"][0], names, frame)
        identifier = f"{instance}-{frame}" if file.frames > 1 else instance
        place = Path("images") / patient / study / f"{identifier}.png"
        with room(file):
            image = picture(file, frame, window)
            write(out / place, _png(image))
        rows.append(
            {
                "id": identifier,
                "image": place.as_posix(),
                "split": _split(names.share("split", patient), settings.shares),
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
    return Imported(
        **about,
        outcome="image",
        rows=tuple(rows),
        links=links,
        dropped=dict(dropped(header)),
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


def _columns(
    header: Dataset, settings: Settings, patient: str, names: Pseudonyms, frame: int
) -> tuple[dict[str, str], tuple[tuple[str, str, str], ...]]:
    from pydicom.datadict import tag_for_keyword

    known = known_words(header)
    columns, findings = {}, []
    for column, keyword in (*COLUMNS.items(), *((keyword, keyword) for keyword in settings.keep)):
        element = _element(header, tag_for_keyword(keyword) or 0, frame)
        text = _text(element.value) if element is not None else ""
        if keyword == "Laterality" and not text:
            text = _text(header.get("ImageLaterality"))
        if element is not None and element.VR == "DA":
            columns[column] = names.shifted(patient, text)
            continue
        if element is not None and _is_measured(element.VR, text):
            columns[column] = _age(text) if keyword == "PatientAge" else text
            continue
        if element is not None and element.VR == "CS" and re.fullmatch(r"[A-Z0-9 _/]*", text):
            columns[column], found = coded(text, known)
        else:
            columns[column], found = searched(text, known)
        findings += [(column, each.kind, each.text) for each in found]
    return columns, tuple(findings)


def _element(header: Dataset, tag: int, frame: int) -> Any:
    """Return an attribute; of an enhanced object what its groups say of the frame, or of all frames."""
    if tag in header:
        return header.get(tag)
    for keyword, place in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        items = header.get(keyword) or []
        for group in items[place : place + 1]:
            for sequence in group:
                for item in sequence.value[:1] if sequence.VR == "SQ" else ():
                    if tag in item:
                        return item.get(tag)
    return None


def _is_measured(kind: str, text: str) -> bool:
    """Return whether a value of this kind (VR) is numbers, or an age, and no text that may name anybody."""
    if kind == "AS":
        return re.fullmatch(r"\d{3}[DWMY]", text) is not None
    # Decimals and integers are written as text, in which anything may stand.
    return kind in _BINARY or (kind in ("DS", "IS") and _NUMBERS.fullmatch(text) is not None)


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
    types = {str(part).upper() for part in header.get("ImageType") or []}
    captured = "ConversionType" in header or "SCREEN SAVE" in types or "SECONDARY" in types
    if _text(header.get("Modality")) in _DRAWN_ON or captured:
        return "suspect", (*warnings, "burned-in annotation is likely for this kind of image")
    return "unknown", tuple(warnings)


def _frames(file: DicomFile, settings: Settings) -> list[int]:
    chosen = {"first": [0], "middle": [file.frames // 2], "all": range(file.frames)}
    return list(chosen[settings.frames])


def _window(header: Dataset, settings: Settings) -> Window:
    if header.get("SamplesPerPixel", 1) != 1 or header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return AUTO
    modality = _text(header.get("Modality"))
    if modality in settings.windows:
        return settings.windows[modality]
    other = settings.windows.get("", AUTO)
    return AUTO if other.text in NAMED and modality != "CT" else other


def _split(share: float, shares: tuple[float, float, float]) -> str:
    return "train" if share < shares[0] else "validate" if share < shares[0] + shares[1] else "test"


def _age(text: str) -> str:
    # Above 89 years an age is rare enough to name a person (US rule 45 CFR 164.514).
    return "090Y+" if text.endswith("Y") and text[:-1].isdigit() and int(text[:-1]) > 89 else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return as_meant("/".join(map(str, value)) if hasattr(value, "append") else str(value).strip())


def _png(image: Image.Image) -> bytes:
    red, green, blue = image.split()
    grey = red.tobytes() == green.tobytes() == blue.tobytes()
    buffer = io.BytesIO()
    (red if grey else image).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
