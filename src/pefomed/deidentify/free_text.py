"""Likely names, dates and numbers in free text, found by what the file itself says and by their form.

What the same file gives as a name, number, date or place is the surest (`known`). Forms find the rest; they
miss some and take some that are harmless. This is a help for a person who reads the texts, not a proof that
nobody is named in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pefomed.deidentify.known import KnownIdentity, places

MONTHS = (
    "jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]vrier|mar(?:ch|s)?|m[aä]rz|apr(?:il)?|avril|ma[iy]|jun[ei]?|juin"
    "|jul[iy]?|juillet|aug(?:ust)?|ao[uû]t|sep(?:t|tember|tembre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?"
    "|de[cz](?:ember)?|d[eé]cembre"
)
TITLES = (
    "dr|prof|pd|mr|mrs|ms|miss|herrn?|frau|mme|mlle|monsieur|madame|sr|sra|se[nñ]ora?|dipl\\.-?med|m\\.?d"
)
# Where a word begins and ends; an underscore parts words.
_B, _E = r"(?<![^\W_])", r"(?![^\W_])"
_NAME = r"[A-ZÀ-ÖØ-Þ][\wÀ-ÿ'’-]+"  # noqa: RUF001

FORMS: dict[str, re.Pattern[str]] = {
    # From where a word begins, with all that hangs on behind: else each sign of a long one is a beginning.
    "mail": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.+@-]+|https?://\S+|www\.\S+"),
    "date": re.compile(
        rf"{_B}\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}{_E}|{_B}(?:19|20)\d{{2}}[01]\d[0-3]\d{_E}"
        rf"|{_B}\d{{1,2}}\.?\s*(?:{MONTHS}){_E}\.?,?\s*(?:\d{{2,4}}{_E})?"
        rf"|{_B}(?:{MONTHS})\.?\s+\d{{1,2}},?\s+\d{{4}}{_E}"
        r"|\d{2,4}\s?[年년]\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日일])?",
        re.IGNORECASE,
    ),
    "time": re.compile(rf"{_B}\d{{1,2}}:\d{{2}}(?::\d{{2}})?{_E}"),
    "number": re.compile(rf"\+?{_B}\d(?:[\s/()-]{{0,2}}\d){{5,}}{_E}|{_B}[A-Z]{{1,4}}[-_]?\d{{5,}}{_E}"),
    "name": re.compile(
        rf"\b(?:(?i:{TITLES})\b\.?\s*){{1,8}}(?:{_NAME}(?:\s+|\b)){{1,3}}|\b{_NAME}\^{_NAME}(?:\^\w*)*|\b[A-Z]+\^[A-Z]+\b"
    ),
    # Also "Thorax, Abdomen": noted for the reader, left in the text.
    "name?": re.compile(rf"\b{_NAME}, {_NAME}\b"),
}
"""Kind -> what it looks like. A kind with a question mark is noted and not masked."""


NOTHING = KnownIdentity()
SEARCH = 2
"""Raised when more is found than before, or images are made otherwise: what there is is then made anew."""


@dataclass(frozen=True)
class Finding:
    """One place in a text."""

    kind: str
    text: str


def mask_text(text: str, known: KnownIdentity = NOTHING) -> tuple[str, tuple[Finding, ...]]:
    """Return the text with what was found masked, as `[name]` or `[date]`, and what it was.

    Args:
        known: names, numbers and places that the same file gives elsewhere.
    """
    text, findings = mask_known(text, known)
    for kind, pattern in FORMS.items():
        findings += [Finding(kind, found.group()) for found in pattern.finditer(text)]
        if not kind.endswith("?"):
            text = pattern.sub(f"[{kind}]", text)
    return text, tuple(findings)


def mask_code(code: str, known: KnownIdentity) -> tuple[str, tuple[Finding, ...]]:
    """Return a code of DICOM (`CHEST`), masked unless it is a body part's, or as short as a modality's.

    Such a one that is also a name is noted: the chest is the chest, whoever is called so.
    """
    found = places(code, known)
    if all(_is_code(code[place.start : place.end]) for place in found if place.sure):
        return code, tuple(Finding("known?", code[place.start : place.end]) for place in found)
    text, findings = mask_known(code, known)
    return text, tuple(findings)


# Of the terms for BodyPartExamined (PS3.16, annex L) and ImageType those that somebody may be called by.
_CODES = frozenset(
    "ABDOMEN ANKLE AORTA AXIAL BLADDER BRAIN BREAST BRONCHUS CARDIAC CHEST CLAVICLE COCCYX COLON DERIVED"
    " ELBOW FEMUR FINGER FOREARM HEART HUMERUS KIDNEY LARYNX LIVER LOCALIZER MAXILLA MANDIBLE NOSE ORBIT"
    " ORIGINAL PANCREAS PELVIS PRIMARY RADIUS SACRUM SECONDARY SHOULDER SKULL SPINE SPLEEN STERNUM STOMACH"
    " THORAX THUMB TIBIA TRACHEA ULNA UTERUS WRIST".split()
)


def _is_code(text: str) -> bool:
    return text in _CODES or re.fullmatch("[A-Z]{1,4}", text) is not None


def mask_known(text: str, known: KnownIdentity) -> tuple[str, list[Finding]]:
    """Return the text with what is known masked as `[known]`, and what that was; `known?` is left in it."""
    findings, parts, end = [], [], 0
    for place in places(text, known):
        findings.append(Finding("known" if place.sure else "known?", text[place.start : place.end]))
        if place.sure:
            parts += [text[end : place.start], "[known]"]
            end = place.end
    return "".join([*parts, text[end:]]), findings
