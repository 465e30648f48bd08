"""Which attributes identify a person: DICOM PS3.15, table E.1-1, "Basic Application Confidentiality Profile".

The table comes from `dicom-anonymizer`, which follows the standard's editions.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pefomed.errors import DataError, nearest

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

EDITION = "dicomfields_2026c"

NEVER = ("PN", "UI", "TM", "DT", "SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "UR", "AT")
"""Kinds of values that no option keeps: names, unique numbers, times, nested and binary data."""

ALSO_NEVER = (
    "PatientID", "OtherPatientIDs", "IssuerOfPatientID", "AccessionNumber", "StudyID", "PatientBirthDate",
    "PatientAddress", "PatientTelephoneNumbers", "MedicalRecordLocator", "MilitaryRank", "InstitutionAddress",
    "DeviceSerialNumber", "PatientMotherBirthName",
)  # fmt: skip


def identifying(group: int, element: int) -> bool:
    """Return whether the profile removes, empties or replaces this attribute, or it is private."""
    if group % 2:
        return True
    exact, repeating = _rules()
    return (group, element) in exact or any(
        (group & mask_group, element & mask_element) == (of_group & mask_group, of_element & mask_element)
        for of_group, of_element, mask_group, mask_element in repeating
    )


def count_identifying(header: Dataset) -> Counter[str]:
    """Return the keywords of the identifying attributes that have a value, and how often each occurs."""
    return Counter(
        "private attributes" if element.tag.is_private else element.keyword or str(element.tag)
        for element in elements(header)
        if identifying(element.tag.group, element.tag.element)
    )


def elements(header: Dataset, depth: int = 0) -> Iterator[Any]:
    """Yield every attribute that has a value, those inside sequences included."""
    for element in header:
        if element.VR == "SQ":
            for item in element.value if depth < DEPTH else ():
                yield from elements(item, depth + 1)
        elif element.value not in (None, "", b""):
            yield element


def check_keywords(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """Return `keywords` if each may become a column at the user's wish.

    Raises:
        DataError: one is unknown, or is never kept.
    """
    from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword

    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise DataError(
                f"DICOM has no attribute {keyword!r}", remedy=nearest(keyword, _close(keyword, keyword_dict))
            )
        kind = dictionary_VR(tag)
        if keyword in ALSO_NEVER or any(part in NEVER for part in kind.split(" or ")):
            raise DataError(
                f"{keyword} is never kept",
                found=f"an attribute of the kind {kind}",
                remedy="patient, study, series and instance have pseudonyms; `links.csv` beside the key"
                " leads back to the archive",
            )
    return keywords


DEPTH = 16
"""Sequences nested deeper than this are not looked into; nothing of them is kept either."""


@functools.cache
def _rules() -> tuple[frozenset[tuple[int, int]], tuple[tuple[int, int, int, int], ...]]:
    from dicomanonymizer.simpledicomanonymizer import initialize_actions

    tags = list(initialize_actions(EDITION))
    repeating = tuple(tag for tag in tags if len(tag) == 4)
    return frozenset(tag for tag in tags if len(tag) == 2), repeating


def _close(keyword: str, known: dict[str, int]) -> list[str]:
    import difflib

    return difflib.get_close_matches(keyword, known, n=5, cutoff=0.5)
