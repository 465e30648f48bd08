"""One report, segmentation or structure set as what it draws on images, without who it is about."""

from __future__ import annotations

from typing import Any

from pefomed.data.imports.concepts import SearchedTexts
from pefomed.data.imports.free_text import SEARCH
from pefomed.data.imports.looking import text
from pefomed.data.imports.people import known_words
from pefomed.data.imports.profile import dropped
from pefomed.data.imports.pseudonyms import Pseudonyms
from pefomed.data.imports.records import Imported
from pefomed.data.imports.reports import report_regions
from pefomed.data.imports.segmentations import segment_regions
from pefomed.data.imports.structure_sets import structure_regions
from pefomed.data.pictures.dicom_file import DicomFile

Links = dict[str, tuple[str, str]]


def annotated(
    file: DicomFile, parts: bool, names: Pseudonyms, about: dict[str, Any], links: Links
) -> Imported:
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
        return Imported(**about, outcome="no picture", detail=file.kind or "unknown")
    return Imported(
        **about,
        outcome="annotation",
        regions=tuple(regions),
        faults=dict(faults),
        readers=words.readers,
        links=links,
        dropped=dict(dropped(file.header)),
        findings=tuple(dict.fromkeys(words.findings)),
        search=SEARCH,
    )
