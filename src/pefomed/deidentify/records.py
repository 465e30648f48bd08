"""What an import notes about each file, in the folder that stays with whoever holds the key."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pefomed.deidentify.regions import Region
from pefomed.schema import Record

Outcome = Literal[
    "image",
    "annotation",
    "not DICOM",
    "no picture",
    "unreadable",
    "burned in",
    "link",
    "scout",
    "not chosen",
    "no position",
    "labels",
]


class ImportRecord(Record):
    """One file of the source folder and what became of it."""

    source: str
    """Its path within the folder; it may name a patient."""
    size: int
    changed: int
    """Time of its last change, in nanoseconds."""
    outcome: Outcome
    detail: str = ""
    """Why there is no image."""
    beside: str = ""
    """Size and time of the last change of the labels of a volume."""
    regions: tuple[Region, ...] = ()
    """What a report, segmentation or structure set draws on images."""
    faults: dict[str, int] = Field({})
    """What it draws that has no box, by reason."""
    readers: dict[str, str] = Field({})
    """Pseudonyms of who drew it, and whom they stand for."""
    rows: tuple[dict[str, str], ...] = ()
    """One row of the table for each frame."""
    links: dict[str, tuple[str, str]] = Field({})
    """`patient`, `study` ...: pseudonym and what it stands for."""
    dropped: dict[str, int] = Field({})
    """Identifying attributes that the header had."""
    findings: tuple[tuple[str, str, str], ...] = ()
    """(column, kind, text) of what was found in free text."""
    warnings: tuple[str, ...] = ()
    search: int = 0
    """How free text was searched, as `free_text.SEARCH` counts."""
