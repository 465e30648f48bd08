"""Regions of segmentation objects: the box around each segment in each of their frames.

Binary, fractional (what is at least half) and label map. A frame lies on the image that it names, or else on
those at its place in the body (DICOM PS3.3 C.8.20).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pefomed.deidentify.concepts import SearchedTexts, code_of, first
from pefomed.deidentify.file_headers import FRAME_LIMIT, numbers, text
from pefomed.deidentify.regions import REGION_LIMIT, Region
from pefomed.deidentify.stacks import is_placed
from pefomed.errors import ImageError
from pefomed.images.dicom_file import DicomFile
from pefomed.images.dicom_header import of_frame

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def segment_regions(file: DicomFile, words: SearchedTexts, parts: bool) -> tuple[list[Region], Counter[str]]:
    """Return the segments of a file frame by frame, and how many have no box, by reason.

    Args:
        parts: each part that hangs together (8 neighbours) has a box, instead of one around the segment.

    Raises:
        ImageError: it is tiled, of slide microscopy; or its pixels cannot be read.
    """
    header = file.header
    if "TotalPixelMatrixRows" in header or text(header.get("DimensionOrganizationType")).startswith("TILED"):
        raise ImageError(f"{file.path} is tiled", found="a segmentation of slide microscopy")
    if file.frames > FRAME_LIMIT:
        raise ImageError(f"{file.path} has {file.frames:,} frames", found=f"more than {FRAME_LIMIT:,}")
    faults: Counter[str] = Counter()
    about = {
        int(item.get("SegmentNumber") or 0): _about(item, words)
        for item in header.get("SegmentSequence") or []
    }
    reader = words.reader(header.get("ContentCreatorName"))
    regions: list[Region] = []
    for frame in range(file.frames):
        said = _where(header, frame)
        for number, mask in _masks(file, frame):
            boxes = list(_boxes(mask, parts))
            if not boxes:
                faults["an empty frame"] += 1
            for left, top, right, bottom in boxes:
                corners = ((left, top), (right, top), (right, bottom), (left, bottom))
                for instance, of_instance in said["images"] or [("", None)]:
                    regions.append(
                        Region(
                            made_by="SEG",
                            **about.get(number, {"phrase": ""}),
                            reader=reader,
                            instance=instance,
                            frame=of_instance,
                            frame_of_reference=text(header.get("FrameOfReferenceUID")),
                            series=said["series"],
                            shape="RECTANGLE",
                            points=tuple((float(x), float(y)) for x, y in corners),
                            matrix=file.size,
                            body=_in_body(corners, said["about"]),
                            thickness=said["thickness"],
                        )
                    )
        if len(regions) > REGION_LIMIT:
            raise ImageError(f"{file.path} has too many regions", found=f"more than {REGION_LIMIT:,}")
    return regions, faults


def _about(item: Dataset, words: SearchedTexts) -> dict[str, str]:
    concept = first(item, "SegmentedPropertyTypeCodeSequence")
    label = words.free(item.get("SegmentLabel"), "label")
    return {
        "phrase": words.meaning(concept, "phrase") or label,
        "code": code_of(concept),
        "label": label,
        "site": words.meaning(first(item, "AnatomicRegionSequence"), "site"),
    }


def _where(header: Dataset, frame: int) -> dict[str, Any]:
    """Return the images that a frame names with their frames, the series of the file, and its geometry."""
    images: list[tuple[str, int | None]] = []
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    for holder in (groups[frame : frame + 1] or []) + list(
        header.get("SharedFunctionalGroupsSequence") or []
    )[:1]:
        for derived in holder.get("DerivationImageSequence") or []:
            for source in derived.get("SourceImageSequence") or []:
                frames = numbers(source.get("ReferencedFrameNumber")) or (0.0,)
                for number in frames:
                    of = int(number) - 1 if number else None
                    images.append((text(source.get("ReferencedSOPInstanceUID")), of))
    about = of_frame(header, frame)
    images = [pair for pair in dict.fromkeys(images) if pair[0]]
    if len(images) > 1 and is_placed(numbers(about.get("ImagePositionPatient")), _directions(about)):
        images = []  # some name the whole series in each frame: where the frame lies says which image it is
    series = [text(item.get("SeriesInstanceUID")) for item in header.get("ReferencedSeriesSequence") or []]
    thickness = next(iter(numbers(about.get("SpacingBetweenSlices") or about.get("SliceThickness"))), 0.0)
    return {
        "images": images,
        "series": tuple(each for each in series if each),
        "about": about,
        "thickness": thickness,
    }


def _directions(about: dict[str, Any]) -> tuple[float, ...]:
    return numbers(about.get("ImageOrientationPatient"))


def _masks(file: DicomFile, frame: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield the number of each segment that a frame holds, and its pixels."""
    header = file.header
    values = file.stored(frame)
    kind = text(header.get("SegmentationType")).upper()
    if kind == "LABELMAP":
        for number in np.unique(values):
            if number:
                yield int(number), values == number
        return
    if kind == "FRACTIONAL":
        most = float(header.get("MaximumFractionalValue") or 255)
        mask = values >= most / 2
    else:
        mask = values > 0
    group = None
    for sequence, place in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        for holder in list(header.get(sequence) or [])[place : place + 1]:
            group = group or first(holder, "SegmentIdentificationSequence")
    yield int(group.get("ReferencedSegmentNumber") or 0) if group is not None else 0, mask


def _boxes(mask: NDArray[np.bool_], parts: bool) -> Iterator[tuple[int, int, int, int]]:
    """Yield left, top, right, bottom in the outer edges of pixels."""
    if not mask.any():
        return
    if parts:
        from scipy import ndimage

        labelled, _ = ndimage.label(mask, np.ones((3, 3)))
        found = ndimage.find_objects(labelled)
    else:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        found = [(slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))]
    for down, right in found:
        yield int(right.start), int(down.start), int(right.stop), int(down.stop)


def _in_body(corners: tuple[tuple[int, int], ...], about: dict[str, Any]) -> tuple[tuple[float, ...], ...]:
    """Return points on a frame in millimetres, nothing if it does not say where it lies."""
    position, orientation = (
        numbers(about.get("ImagePositionPatient")),
        _directions(about),
    )
    spacing = numbers(about.get("PixelSpacing"))
    if not is_placed(position, orientation) or len(spacing) != 2:
        return ()
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    height, width = spacing
    found = [np.array(position) + (x - 0.5) * width * row + (y - 0.5) * height * column for x, y in corners]
    return tuple(tuple(float(value) for value in point) for point in found)
