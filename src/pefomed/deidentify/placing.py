"""On which image, and where on it, a region lies that a report, segmentation or structure set draws."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pefomed.deidentify.file_headers import FramePosition, SourceFile
from pefomed.deidentify.regions import Bounds, Point, Region, bounds_of

LEAST = 0.1
"""Pixels: a box that is narrower has no area."""

NEAR = 0.5
"""Millimetres from an image's plane within which a region is on it; or half of the region's thickness."""


@dataclass(frozen=True)
class FrameBox:
    """A box on a frame of a source file."""

    source: str
    frame: int
    bounds: Bounds
    """Left, top, right, bottom in pixels of the matrix."""
    of: Region


def place_regions(
    regions: Iterable[Region], looked: Iterable[SourceFile]
) -> tuple[list[FrameBox], Counter[str]]:
    """Return the boxes of all regions, and how many have none, by reason.

    Regions of one group on one image have one box around all.
    """
    files = [each for each in looked if each.kind == "image"]
    by_instance: dict[str, list[SourceFile]] = defaultdict(list)
    in_body: dict[str, list[tuple[SourceFile, FramePosition]]] = defaultdict(list)
    for file in files:
        by_instance[file.instance].append(file)
        for place in file.places if file.frame_of_reference else ():
            in_body[file.frame_of_reference].append((file, place))
    faults: Counter[str] = Counter()
    found: dict[tuple[object, ...], FrameBox] = {}
    for number, region in enumerate(regions):
        drawn = False
        reasons: list[str] = []
        for file, frame, bounds in _on(region, by_instance, in_body):
            if isinstance(bounds, str):
                reasons.append(bounds)
                continue
            drawn = True
            group = (region.group or number, region.reader, region.phrase, region.label)
            key = (file.source, frame, *group)
            before = found.get(key)
            bounds = bounds if before is None else _around(before.bounds, bounds)
            found[key] = FrameBox(file.source, frame, bounds, region)
        if not drawn:
            faults[reasons[0] if reasons else "the image is not there"] += 1
    return list(found.values()), faults


def _on(
    region: Region,
    by_instance: dict[str, list[SourceFile]],
    in_body: dict[str, list[tuple[SourceFile, FramePosition]]],
) -> Iterator[tuple[SourceFile, int, Bounds | str]]:
    """Yield each frame that a region is on with its box there, or why it has none."""
    if region.instance:
        for file in by_instance.get(region.instance, ()):
            for frame in range(file.frames) if region.frame is None else (region.frame,):
                yield file, frame, _box(region, file, frame)
        return
    candidates = [
        (distance, file, place)
        for file, place in in_body.get(region.frame_of_reference, ())
        if (not region.series or file.series in region.series)
        and (distance := _distance(region, place)) <= max(NEAR, region.thickness / 2)
    ]
    nearest = min((distance for distance, *_ in candidates), default=0.0)
    if not candidates:
        for file, place in in_body.get(region.frame_of_reference, ())[:1]:
            yield file, place.frame, "no image at its place in the body"
    for distance, file, place in candidates:
        if distance <= nearest + 0.01:
            yield file, place.frame, _box(region, file, place.frame)


def _distance(region: Region, place: FramePosition) -> float:
    """Return how far the region's farthest point is from an image's plane, in millimetres."""
    normal = np.cross(place.orientation[:3], place.orientation[3:])
    points = np.array(region.body or region.points)
    if points.ndim != 2 or points.shape[1] != 3:
        return float("inf")
    return float(np.abs((points - np.array(place.position)) @ normal).max())


def _box(region: Region, file: SourceFile, frame: int) -> Bounds | str:
    if not 0 <= frame < file.frames:
        return "the image has no such frame"
    place = next((each for each in file.places if each.frame == frame), None)
    flat = len(region.points[0]) == 2
    body = region.body if flat else region.points
    if flat and (region.matrix is None or (region.matrix == file.matrix and not (place and body))):
        points: tuple[Point, ...] = region.points
    elif body and place is not None and place.spacing:
        if region.instance and _distance(region, place) > max(NEAR, region.thickness / 2):
            return "it lies off the image it names"
        points = _on_image(body, place)
    else:
        return "drawn on another matrix, and the image does not say where it lies"
    left, top, right, bottom = bounds_of(region.shape, points)
    columns, rows = file.matrix
    left, right = max(left, 0.0), min(right, float(columns))
    top, bottom = max(top, 0.0), min(bottom, float(rows))
    if right - left < LEAST or bottom - top < LEAST:
        return "outside of the image, or without area"
    return left, top, right, bottom


def _on_image(points: tuple[Point, ...], place: FramePosition) -> tuple[Point, ...]:
    """Return points of the body as columns and rows; the centre of the first pixel is (0.5, 0.5)."""
    row, column = np.array(place.orientation[:3]), np.array(place.orientation[3:])
    away = np.array(points) - np.array(place.position)
    height, width = place.spacing
    # Rounded to a millionth of a pixel: what lies on an edge stays there.
    found = np.stack([away @ row / width + 0.5, away @ column / height + 0.5], axis=-1).round(6)
    return tuple((float(x), float(y)) for x, y in found)


def _around(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
