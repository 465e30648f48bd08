"""The attributes of a header that become columns, searched for what names a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pefomed.deidentify.file_headers import text as _text
from pefomed.deidentify.free_text import mask_code, mask_text
from pefomed.deidentify.people import known_words
from pefomed.deidentify.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

COLUMNS = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view_position": "ViewPosition",
    "laterality": "Laterality",
}
"""Columns of every table; none of them is identifying under the profile."""

_BINARY = frozenset("FL FD SL SS SV UL US UV".split())
# One of several values may be empty.
_NUMBERS = re.compile(r"(?=.*\d)(?:\s*(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*)?(?:/|$))+")


def columns_of(
    header: Dataset, keep: Sequence[str], patient: str, names: Pseudonyms, frame: int
) -> tuple[dict[str, str], tuple[tuple[str, str, str], ...]]:
    """Return the columns of a frame, and what was found in their texts: (column, kind, text).

    Args:
        keep: further attributes, by keyword.
        patient: the pseudonym by which dates are moved.
    """
    from pydicom.datadict import tag_for_keyword

    known = known_words(header)
    columns, findings = {}, []
    for column, keyword in (*COLUMNS.items(), *((keyword, keyword) for keyword in keep)):
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
            columns[column], found = mask_code(text, known)
        else:
            columns[column], found = mask_text(text, known)
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


def _age(text: str) -> str:
    # Above 89 years an age is rare enough to name a person (US rule 45 CFR 164.514).
    return "090Y+" if text.endswith("Y") and text[:-1].isdigit() and int(text[:-1]) > 89 else text
