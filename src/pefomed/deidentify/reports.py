"""Regions of structured reports: TID 1500 and whatever else has spatial coordinates on images (SCOORD).

A region's finding is that of the nearest container around it (DICOM PS3.16, TID 1410 and 1411).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pefomed.deidentify.concepts import SearchedTexts, code_of, first, value_of
from pefomed.deidentify.file_headers import numbers, text
from pefomed.deidentify.regions import Point, Region, fault_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DEPTH = 32
"""Items nested deeper are not looked at."""

_FINDING, _SITES, _TRACKING = ("121071",), ("363698007", "G-C0E3"), ("112039",)
_PERSON, _DEVICE = ("121008",), ("121013", "121012")


@dataclass(frozen=True)
class _About:
    """What is said of everything below a container."""

    phrase: str = ""
    code: str = ""
    site: str = ""
    label: str = ""
    reader: str = ""
    container: str = ""


def report_regions(header: Dataset, words: SearchedTexts) -> tuple[list[Region], Counter[str]]:
    """Return the regions of a report, and how many it has that have no box, by reason."""
    faults: Counter[str] = Counter()
    about = _About(reader=_signed(header, words))
    return list(_below(header, header, about, words, faults, 0)), faults


def _below(
    root: Dataset, item: Dataset, about: _About, words: SearchedTexts, faults: Counter[str], depth: int
) -> Iterator[Region]:
    children = list(item.get("ContentSequence") or [])
    if depth > DEPTH:
        faults["nested too deep"] += len(children)
        return
    about = _said(children, about, words)
    for child in children:
        kind = text(child.get("ValueType"))
        if kind == "SCOORD":
            yield from _scoord(root, child, about, words, faults)
        elif kind == "SCOORD3D":
            yield from _scoord3d(child, about, words, faults)
        else:
            inner = about
            if kind == "CONTAINER":
                inner = replace(about, container=words.meaning(_name(child), "phrase"))
            yield from _below(root, child, inner, words, faults, depth + 1)


def _said(children: list[Dataset], about: _About, words: SearchedTexts) -> _About:
    for child in children:
        name = value_of(_name(child))
        kind = text(child.get("ValueType"))
        concept = first(child, "ConceptCodeSequence")
        if kind == "CODE" and name in _FINDING:
            about = replace(about, phrase=words.meaning(concept, "phrase"), code=code_of(concept))
        elif kind == "CODE" and name in _SITES:
            about = replace(about, site=words.meaning(concept, "site"))
        elif kind == "TEXT" and name in _FINDING:
            about = replace(about, phrase=words.free(child.get("TextValue"), "phrase"), code="")
        elif kind == "TEXT" and name in _TRACKING:
            about = replace(about, label=words.free(child.get("TextValue"), "label"))
        elif kind == "PNAME" and name in _PERSON:
            about = replace(about, reader=words.reader(child.get("PersonName")))
        elif name in _DEVICE and not about.reader:
            about = replace(about, reader=words.reader(child.get("TextValue") or child.get("UID")))
    return about


def _scoord(
    root: Dataset, item: Dataset, about: _About, words: SearchedTexts, faults: Counter[str]
) -> Iterator[Region]:
    shape, points = _shape(item, 2)
    if fault := fault_of(shape, points):
        faults[fault] += 1
        return
    images = [each for each in _images(root, item) if each is not None]
    if not images:
        faults["a shape that names no image"] += 1
    for image in images:
        frames: list[int | None] = [int(number) - 1 for number in numbers(image.get("ReferencedFrameNumber"))]
        for frame in frames or [None]:
            yield _region(item, about, words, shape, points).model_copy(
                update={"instance": text(image.get("ReferencedSOPInstanceUID")), "frame": frame}
            )


def _scoord3d(item: Dataset, about: _About, words: SearchedTexts, faults: Counter[str]) -> Iterator[Region]:
    shape, points = _shape(item, 3)
    if fault := fault_of(shape, points):
        faults[fault] += 1
        return
    yield _region(item, about, words, shape, points).model_copy(
        update={"frame_of_reference": text(item.get("ReferencedFrameOfReferenceUID"))}
    )


def _region(
    item: Dataset, about: _About, words: SearchedTexts, shape: str, points: tuple[Point, ...]
) -> Region:
    phrase = about.phrase or about.label or about.container or words.meaning(_name(item), "phrase")
    return Region(
        made_by="SR", phrase=phrase, label=about.label, code=about.code, site=about.site,
        reader=about.reader, shape=shape, points=points,
    )  # fmt: skip


def _shape(item: Dataset, dimensions: int) -> tuple[str, tuple[Point, ...]]:
    values = numbers(item.get("GraphicData"))
    whole = len(values) // dimensions * dimensions
    points = tuple(tuple(values[at : at + dimensions]) for at in range(0, whole, dimensions))
    return text(item.get("GraphicType")).upper(), points


def _images(root: Dataset, item: Dataset) -> Iterator[Dataset | None]:
    """Yield the references to images of a shape's children, said there or elsewhere in the tree."""
    for child in item.get("ContentSequence") or []:
        if "ReferencedContentItemIdentifier" in child:
            child = _at(root, numbers(child.ReferencedContentItemIdentifier))
        if child is not None and text(child.get("ValueType")) == "IMAGE":
            yield first(child, "ReferencedSOPSequence")


def _at(root: Dataset, path: tuple[float, ...]) -> Dataset | None:
    item: Dataset | None = root
    for number in path[1:]:  # the first one is the root itself
        children = (item.get("ContentSequence") or []) if item is not None else []
        item = children[int(number) - 1] if 0 < number <= len(children) else None
    return item


def _name(item: Dataset) -> Dataset | None:
    return first(item, "ConceptNameCodeSequence")


def _signed(header: Dataset, words: SearchedTexts) -> str:
    for sequence, keyword in (
        ("VerifyingObserverSequence", "VerifyingObserverName"),
        ("AuthorObserverSequence", "PersonName"),
    ):
        if (item := first(header, sequence)) is not None and item.get(keyword):
            return words.reader(item.get(keyword))
    return ""
