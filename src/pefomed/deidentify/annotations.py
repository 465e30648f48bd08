"""One report, segmentation or structure set as what it draws on images, without who it is about."""

from __future__ import annotations

from typing import Any

from pefomed.deidentify.concepts import SearchedTexts
from pefomed.deidentify.file_headers import text
from pefomed.deidentify.free_text import SEARCH
from pefomed.deidentify.people import known_words
from pefomed.deidentify.profile import count_identifying
from pefomed.deidentify.pseudonyms import Pseudonyms
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.reports import report_regions
from pefomed.deidentify.segmentations import segment_regions
from pefomed.deidentify.structure_sets import structure_regions
from pefomed.images.dicom_file import DicomFile

Links = dict[str, tuple[str, str]]


def annotation_record(
    file: DicomFile, parts: bool, names: Pseudonyms, about: dict[str, Any], links: Links
) -> ImportRecord:
    """Return what is to be noted of a file; one that draws nothing has `no picture`.

    Raises:
        ImageError: it is damaged, tiled, or has too many regions.
    """
    words = SearchedTexts(known_words(file.header), names)
    kind = text(file.header.get("Modality"))
    if kind == "SEG":
        regions, faults = segment_regions(file, words, parts)
    elif kind == "RTSTRUCT":
        regions, faults = structure_regions(file.header, words, parts)
    else:
        regions, faults = report_regions(file.header, words)
    if not regions and not faults:
        return ImportRecord(**about, outcome="no picture", detail=file.kind or "unknown")
    return ImportRecord(
        **about,
        outcome="annotation",
        regions=tuple(regions),
        faults=dict(faults),
        readers=words.readers,
        links=links,
        dropped=dict(count_identifying(file.header)),
        findings=tuple(dict.fromkeys(words.findings)),
        search=SEARCH,
    )
