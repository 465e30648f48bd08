"""What a header says about persons and places, to be looked for in its free text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pefomed.deidentify.folding import UNSPACED, fold
from pefomed.deidentify.known import KnownIdentity
from pefomed.deidentify.numbers import Number, dates, number
from pefomed.deidentify.profile import elements
from pefomed.deidentify.spelling import NamePart, spelling

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PLACES = (
    "AccessionNumber", "AdmissionID", "DeviceSerialNumber", "FillerOrderNumberImagingServiceRequest",
    "InstitutionAddress", "InstitutionName", "InstitutionalDepartmentName", "IssuerOfPatientID",
    "MedicalRecordLocator", "OtherPatientIDs", "PatientAddress", "PatientID", "PatientTelephoneNumbers",
    "PersonAddress", "PersonTelephoneNumbers", "PlacerOrderNumberImagingServiceRequest",
    "RequestedProcedureID", "ResponsibleOrganization", "ScheduledProcedureStepID", "StationName", "StudyID",
)  # fmt: skip
# Parts of places' names that are ordinary words of reports.
_ORDINARY = set(
    "the and der die das und for von van des dr prof anonymous anonymized unknown none test hospital clinic"
    " klinik klinikum hopital centre center medical department radiology radiologie university institute"
    " room unit xray street".split()
)
# Of persons' names: what stands for none, titles, and small words that are a name only with the next one.
_NO_NAME = set(
    "anonymous anonymised anonymized anon anonym unknown unbekannt none null unnamed test patient phantom"
    " hospital department".split()
)
_TITLES = set(
    "dr prof med pd dipl mr mrs ms miss jr sr ii iii iv md phd mph do rn rt herr frau mme mlle"
    " นาย นาง นางสาว".split()
)
_PARTICLES = set(
    "von van vom zu zum zur der den dem de del della di da do dos das du la le les el al bin ibn bint ben of"
    " the y e i und and af av ter ten".split()
)


def known_words(header: Dataset) -> KnownIdentity:
    """Return the names, numbers, dates and places of a header."""
    names: set[tuple[NamePart, ...]] = set()
    numbers: dict[str, Number] = {}
    for element in elements(header):
        if element.VR == "PN":
            for value in _values(element.value):
                names.add(tuple(_of_person(value)))
                numbers |= _numbers(re.split(r"[\^=\s,]+", value))
        elif element.VR in ("DA", "DT"):
            numbers |= _numbers(form for value in _values(element.value) for form in dates(value[:8]))
        elif element.keyword in _PLACES:
            for value in _values(element.value):
                names.add(tuple(_of_place(value)))
                numbers |= _numbers([value, *re.split(r"[\s,;]+", value)])
    return KnownIdentity(tuple(parts for parts in names if parts), tuple(numbers.values()))


def as_meant(text: str) -> str:
    """Return a header's text as who wrote it meant it: UTF-8 is read as such in files that do not say so."""
    try:
        return text if text.isascii() else text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _values(value: object) -> list[str]:
    values = value if hasattr(value, "append") else [value]
    return [as_meant(str(each)).strip() for each in values]  # type: ignore[attr-defined]


def _numbers(values: Iterable[str]) -> dict[str, Number]:
    return {found.letters: found for value in values if (found := number(value))}


def _of_person(name: str) -> Iterator[NamePart]:
    """Yield the parts of a name `family^given^middle^prefix^suffix`, of all its groups parted by `=`."""
    seen: set[str] = set()
    # Full-width signs are typed with the rest of a Japanese name.
    for group in name.translate({0xFF3E: "^", 0xFF1D: "="}).split("="):
        for place, component in enumerate(group.split("^")):
            words = [word for word in re.split(r"[\s,;()\"_./|・·•]+", component) if fold(word).letters]
            small = _TITLES | _PARTICLES if len(words) > 1 else _TITLES if place > 2 else set()
            kept = [word for word in words if fold(word).letters not in small | _NO_NAME]
            whole = [component] if len(kept) > 1 or (kept and len(words) > 1 and place < 3) else []
            for part in (*whole, *kept, *_inner(kept)):
                found = spelling(part)
                if found and found.letters not in seen:
                    seen.add(found.letters)
                    yield found


def _inner(words: Iterable[str]) -> Iterator[str]:
    """Yield the parts of double names: Meyer of Meyer-Lüdenscheidt."""
    for word in words:
        parts = re.findall(r"[^\W\d_]{3,}", re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])", " ", word))
        yield from (part for part in parts if part.casefold() not in _PARTICLES)


def _of_place(value: str) -> Iterator[NamePart]:
    for word in {part.strip("'\".()[]") for part in re.split(r"[\s,;]+", value)}:
        found = spelling(word)
        if found is None or found.letters in _ORDINARY or any(letter.isdigit() for letter in found.letters):
            continue
        if len(found.letters) > (1 if found.script in UNSPACED | {"HANGUL"} else 2):
            yield found
