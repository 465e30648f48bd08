from __future__ import annotations

import pytest
from tests.datasets.made_dicom import header

from pefomed.deidentify.profile import check_keywords, count_identifying, identifying
from pefomed.deidentify.table_columns import COLUMNS
from pefomed.errors import DataError

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")


def test_the_standards_table() -> None:
    from pydicom.datadict import tag_for_keyword

    def is_identifying(keyword: str) -> bool:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        return identifying(tag >> 16, tag & 0xFFFF)

    # PS3.15, table E.1-1: these are in it ...
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyDate", "StudyDescription",
        "InstitutionName", "ReferringPhysicianName", "StudyInstanceUID", "PatientSex", "PatientAge",
    ):  # fmt: skip
        assert is_identifying(keyword), keyword
    # ... and these, our columns, are not.
    assert not any(is_identifying(keyword) for keyword in COLUMNS.values())
    assert identifying(0x6002, 0x3000)  # overlays, a repeating group
    assert identifying(0x5012, 0x0005)  # curves
    assert identifying(0x0029, 0x1010)  # private


def test_dropped_are_counted_wherever_they_are() -> None:
    made = header(
        PatientName="A", PatientID="", Modality="CT",
        RequestAttributesSequence=[header(AccessionNumber="1"), header(AccessionNumber="2")],
    )  # fmt: skip
    made.add_new(0x00290010, "LO", "MAKER")
    assert count_identifying(made) == {"PatientName": 1, "AccessionNumber": 2, "private attributes": 1}


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("PatientName", "never kept"), ("StudyInstanceUID", "never kept"), ("PatientID", "never kept"),
        ("PixelData", "never kept"), ("AcquisitionTime", "never kept"),
        ("PatientSexx", "did you mean 'PatientSex'"),
    ],
)  # fmt: skip
def test_what_is_never_kept(keyword: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        check_keywords((keyword,))


def test_what_a_user_may_keep() -> None:
    assert check_keywords(("PatientSex", "StudyDate", "SeriesDescription")) == (
        "PatientSex",
        "StudyDate",
        "SeriesDescription",
    )
