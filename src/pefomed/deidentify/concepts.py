"""Coded concepts and names in reports, segmentations and structure sets, without what names a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.deidentify.file_headers import text
from pefomed.deidentify.free_text import mask_text
from pefomed.deidentify.known import KnownIdentity
from pefomed.deidentify.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Public terminologies: what is coded in another one may be a number of the house.
_SCHEMES = frozenset("SCT SRT SNM3 DCM RADLEX FMA UMLS LN NCIT I10 I9C UCUM BI RADELEMENT MA".split())


class SearchedTexts:
    """Texts of one file, searched; and what was found in them."""

    def __init__(self, known: KnownIdentity, names: Pseudonyms):
        self._known, self._names = known, names
        self.findings: list[tuple[str, str, str]] = []
        self.readers: dict[str, str] = {}
        """Pseudonym -> whom it stands for."""

    def free(self, value: object, column: str) -> str:
        """Return a text without names, dates and numbers."""
        found_in, found = mask_text(" ".join(text(value).split())[:500], self._known)
        self.findings += [(column, each.kind, each.text) for each in found]
        return found_in

    def meaning(self, concept: Dataset | None, column: str) -> str:
        """Return a concept's meaning; whoever writes codes of their own may write anything there."""
        return self.free(concept.get("CodeMeaning"), column) if concept is not None else ""

    def reader(self, name: object) -> str:
        """Return the pseudonym of who drew something, nothing for nobody."""
        said = text(name).strip("^ ")
        if not said:
            return ""
        pseudonym = self._names("reader", said)
        self.readers[pseudonym] = said
        return pseudonym


def code_of(concept: Dataset | None) -> str:
    """Return `SCHEME:VALUE` of a concept of a public terminology, else nothing."""
    if concept is None:
        return ""
    scheme = text(concept.get("CodingSchemeDesignator")).upper()
    return f"{scheme}:{value_of(concept)}" if scheme in _SCHEMES and value_of(concept) else ""


def value_of(concept: Dataset | None) -> str:
    """Return a concept's value, in whichever of three attributes it stands."""
    if concept is None:
        return ""
    found = (concept.get(name) for name in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    return next((text(value) for value in found if value), "")


def first(holder: Dataset, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, None if there is none."""
    items = holder.get(keyword) or []
    return items[0] if len(items) else None
