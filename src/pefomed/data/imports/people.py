"""What a header says about persons and places, as words to look for in its free text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pefomed.data.imports.profile import elements

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PLACES = (
    "AccessionNumber", "InstitutionAddress", "InstitutionName", "InstitutionalDepartmentName",
    "OtherPatientIDs", "PatientAddress", "PatientID", "PatientTelephoneNumbers", "StationName", "StudyID",
)  # fmt: skip
# Parts of places' names that are ordinary words of reports.
_ORDINARY = set(
    "the and der die das und for von van des dr prof anonymous anonymized unknown none test hospital clinic"
    " klinik klinikum hôpital centre center medical department radiology radiologie university institute"
    " room unit xray street".split()
)


def known_words(header: Dataset) -> set[str]:
    """Return the names, numbers, dates and places of a header, whole and in their parts."""
    words: set[str] = set()
    for element in elements(header):
        if element.VR == "PN":
            words |= _parts(str(element.value), r"[\^=\s,\\]+")
        elif element.VR == "DA":
            words |= {form for value in _values(element.value) for form in _dates(value)}
        elif element.keyword in _PLACES:
            for value in _values(element.value):
                words |= {value, *_parts(value, r"[\s,;]+")}
    return {word for word in words if len(word) > 2 and word.casefold() not in _ORDINARY}


def _values(value: object) -> list[str]:
    values = value if hasattr(value, "append") else [value]
    return [str(each).strip() for each in values]  # type: ignore[attr-defined]


def _parts(text: str, separator: str) -> set[str]:
    return {part.strip("'\".()[]") for part in re.split(separator, text) if len(part.strip("'\".()[]")) > 2}


def _dates(value: str) -> set[str]:
    if not re.fullmatch(r"\d{8}", value):
        return set()
    year, month, day = value[:4], value[4:6], value[6:]
    return {
        value,
        f"{year}-{month}-{day}",
        f"{day}.{month}.{year}",
        f"{day}/{month}/{year}",
        f"{month}/{day}/{year}",
    }
