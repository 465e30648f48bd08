"""Regions of radiotherapy structure sets: planar contours in the body (DICOM PS3.3 C.8.8.5 and C.8.8.6)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pefomed.deidentify.concepts import SearchedTexts, code_of, first
from pefomed.deidentify.file_headers import numbers, text
from pefomed.deidentify.regions import Region, fault_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def structure_regions(
    header: Dataset, words: SearchedTexts, parts: bool
) -> tuple[list[Region], Counter[str]]:
    """Return the contours of a structure set, and how many have no box, by reason.

    Args:
        parts: each contour has a box of its own, instead of one around all of a structure on an image.
    """
    faults: Counter[str] = Counter()
    rois = {text(item.get("ROINumber")): item for item in header.get("StructureSetROISequence") or []}
    said = {
        text(item.get("ReferencedROINumber")): item for item in header.get("RTROIObservationsSequence") or []
    }
    file = text(header.get("SOPInstanceUID"))
    regions = []
    for item in header.get("ROIContourSequence") or []:
        number = text(item.get("ReferencedROINumber"))
        roi, observed = rois.get(number), said.get(number)
        concept = first(observed, "RTROIIdentificationCodeSequence") if observed is not None else None
        label = words.free(roi.get("ROIName"), "label") if roi is not None else ""
        reader = words.reader(observed.get("ROIInterpreter")) if observed is not None else ""
        for place, contour in enumerate(item.get("ContourSequence") or []):
            values = numbers(contour.get("ContourData"))
            points = tuple(tuple(values[at : at + 3]) for at in range(0, len(values) // 3 * 3, 3))
            shape = text(contour.get("ContourGeometricType")).upper()
            if fault := fault_of("POLYLINE" if shape.startswith(("CLOSED", "OPEN")) else shape, points):
                faults[fault] += 1
                continue
            image = first(contour, "ContourImageSequence")
            frames = numbers(image.get("ReferencedFrameNumber")) if image is not None else ()
            frame_of_reference = text(roi.get("ReferencedFrameOfReferenceUID")) if roi is not None else ""
            regions.append(
                Region(
                    made_by="RTSTRUCT",
                    phrase=words.meaning(concept, "phrase") or label,
                    label=label,
                    code=code_of(concept),
                    reader=reader,
                    instance=text(image.get("ReferencedSOPInstanceUID")) if image is not None else "",
                    frame=int(frames[0]) - 1 if frames else None,
                    frame_of_reference=frame_of_reference,
                    shape="POLYGON",
                    points=points,
                    group=f"{file}-{number}-{place}" if parts else f"{file}-{number}",
                )
            )
    return regions, faults
