from __future__ import annotations

import pytest
from tests.datasets.made_dicom import header

from pefomed.deidentify.free_text import mask_text
from pefomed.deidentify.people import known_words


@pytest.mark.parametrize(
    ("text", "masked", "kinds"),
    [
        ("seen by Dr. Anna Weber on 3.4.2019", "seen by [name]on [date]", ["date", "name"]),
        ("Herr Müller, 12:30", "[name], [time]", ["time", "name"]),
        ("DOE^JOHN^^", "[name]", ["name"]),
        ("call +49 30 1234567 or a.b@c.org", "call [number] or [mail]", ["mail", "number"]),
        ("compared with 20190403 and 2019-04-03", "compared with [date] and [date]", ["date", "date"]),
        ("since 4 March 2019, March 4, 2019", "since [date], [date]", ["date", "date"]),
        ("MRN1234567", "[number]", ["number"]),
        ("CT_20190403_4711001", "CT_[date]_[number]", ["date", "number"]),
        ("胸部 2019年4月3日", "胸部 [date]", ["date"]),
        # Ordinary reports stay as they are.
        ("CT Thorax 5 mm, T2 FLAIR, 1.5 T, L4/5", "CT Thorax 5 mm, T2 FLAIR, 1.5 T, L4/5", []),
        ("may be pneumonia", "may be pneumonia", []),
        ("Thorax, Abdomen", "Thorax, Abdomen", ["name?"]),
        ("", "", []),
    ],
)
def test_names_dates_and_numbers_are_masked(text: str, masked: str, kinds: list[str]) -> None:
    found, findings = mask_text(text)
    assert found.replace("] on", "]on") == masked.replace("] on", "]on")
    assert [finding.kind for finding in findings] == kinds


def test_what_the_file_says_elsewhere_is_found_word_by_word() -> None:
    made = header(
        PatientName="Okonkwo^Ada^Lee", PatientID="A-77", InstitutionName="St. Elsewhere Hospital",
        PatientBirthDate="19500102", ReferringPhysicianName="Li^X",
    )  # fmt: skip
    known = known_words(made)
    text, findings = mask_text("Hospital note: okonkwo, born 02.01.1950 (A-77), sleeps", known)
    assert text == "Hospital note: [known], born [known] ([known]), sleeps"
    assert [finding.kind for finding in findings] == ["known"] * 3
    # A word within a word is none, but is noted.
    text, findings = mask_text("Adagio", known)
    assert (text, [(found.kind, found.text) for found in findings]) == ("Adagio", [("known?", "Adagio")])
    # What is ordinary in a place's name is not looked for, a short name is.
    assert mask_text("hospital of Li, St", known)[0] == "hospital of [known], St"
