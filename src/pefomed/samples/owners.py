"""Which columns and keys say whose an image is: a patient, a study, a case. No owner may be in two splits."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Container, Iterator, Mapping
from typing import Any

_PEOPLE = (
    "patient subject person people participant individual mrn pid ptid paciente paziente pasient pacjent"
    " patiënt potilas pat пациент 患者 病人 환자"
)
_THINGS = (
    "study series accession case article exam examination visit encounter admission hadm stay episode studie"
    " fallnummer fallnr fallid dossier aufnahmenummer"
)
# What a column may be called beside that and still be about the owner, not the owner itself.
_ATTRIBUTES = frozenset(
    "age sex gender race ethnic ethnicity position orientation date time year month day birth birthdate dob"
    " born description desc weight height size history type kind count total status report comment comments"
    " view modality protocol quality diagnosis label class group arm split fold set question answer image"
    " images file path text result finding findings outcome title abstract caption country site ward"
    " phase stage has is use control alter geschlecht datum 年齢 性別 年龄 性别".split()
)
_MARK = r"(?:s|e?n|instance)?(?:id|uid|guid|uuid|no|nr|num|number|nummer|key|code|name|id|番号|号|编号|번호)?"
_PERSON = re.compile(f"(?:{'|'.join(_PEOPLE.split())}){_MARK}")
_OWNER = re.compile(f"(?:{'|'.join((*_PEOPLE.split(), *_THINGS.split()))}){_MARK}")


@functools.cache
def is_owner(column: str) -> bool:
    """Return whether a column or meta key by its name says whose an image is: `PatientID`, `study_uid`."""
    words = _words(column)
    owners = [word for word in words if _OWNER.fullmatch(word)]
    return bool(owners) and not _ATTRIBUTES.intersection(words)


@functools.cache
def is_person(column: str) -> bool:
    """Return whether it names a person."""
    return is_owner(column) and any(_PERSON.fullmatch(word) for word in _words(column))


def owners_of(row: Mapping[str, Any], but: Container[str] = ()) -> dict[str, str]:
    """Return the cells of a row that say whose it is, as texts; not those of the columns `but`.

    Objects in cells are looked into: `metadata.patientid`, `patient.id`.
    """
    found = {name: value for name, value in _cells(row) if name not in but}
    return {name: "" if value is None else str(value).strip() for name, value in found.items()}


_DEPTH = 4
_IDS = frozenset("id uid guid uuid identifier number no nr key code name".split())


def _cells(row: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            if len(before) < _DEPTH:
                yield from _cells(value, (*before, str(key)))
        # Of what an object called `patient` holds not all is the patient.
        elif is_owner(str(key)) or (before and is_owner(before[-1]) and str(key).casefold() in _IDS):
            yield ".".join((*before, str(key))), value


def _words(column: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", column)
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return [word for word in re.split(r"[\W_\d]+", parted.casefold()) if word]
