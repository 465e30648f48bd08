"""The images of a series as stacks: ordered by where they lie in the body, with what is wrong of each.

An image lies at ImagePositionPatient . (row direction x column direction) millimetres along its normal (DICOM
PS3.3 C.7.6.2.1.1). Its number and the name of its file say nothing about that, and are not asked. Images of
another orientation, matrix or pixel spacing are another stack.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SAME_PLACE = 0.01
"""Millimetres up to which two images are at one position."""

SAME_DIRECTION = math.cos(math.radians(1))
UNEVEN = 0.1
"""Share of the usual distance by which one may differ."""

TILTED = 0.5
"""Degrees from the normal to the line from slice to slice, above which the gantry was tilted."""


@dataclass(frozen=True)
class Slice:
    """One image of a series: a file, or a frame of one."""

    source: str
    frame: int
    position: tuple[float, ...]
    """Of the centre of the first pixel, in millimetres."""
    orientation: tuple[float, ...]
    """Direction of a row, direction of a column."""
    size: tuple[int, int]
    spacing: tuple[float, ...]
    scout: bool
    order: tuple[str, ...] = ()
    """What sets images at one position apart: echo, time, b-value ..."""
    tilt: float = 0.0
    """What the header says, in degrees."""

    @property
    def normal(self) -> Vector:
        return np.cross(self.orientation[:3], self.orientation[3:])


@dataclass(frozen=True)
class Stack:
    """Images that lie behind one another."""

    positions: tuple[tuple[Slice, ...], ...]
    """In the order of the normal; several images may be at one position."""
    places: tuple[float, ...]
    """Of each position, in millimetres along the normal."""
    scout: bool
    distance: float
    """The usual one from position to position, in millimetres; 0 for a single one."""
    faults: dict[str, int] = field(default_factory=dict)
    """What is wrong -> how often."""


def is_placed(position: Sequence[float], orientation: Sequence[float]) -> bool:
    """Return whether these are a position and two directions at right angles."""
    values = np.array([*position, *orientation], np.float64)
    if len(position) != 3 or len(orientation) != 6 or not np.isfinite(values).all():
        return False
    row, column = values[3:6], values[6:]
    unit = abs(np.linalg.norm(row) - 1) < 0.01 and abs(np.linalg.norm(column) - 1) < 0.01
    return bool(unit and abs(row @ column) < 0.01)


def stacks_of(slices: Sequence[Slice]) -> list[Stack]:
    """Return the stacks of one series: the largest first, scouts last.

    A scout is what says so (ImageType LOCALIZER), or at most three images of another orientation in a
    series whose largest stack has at least four times as many.
    """
    groups: list[list[Slice]] = []
    for each in slices:
        group = next((group for group in groups if _belongs(each, group[0])), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    groups.sort(key=lambda group: (group[0].scout, -len(group), group[0].orientation, group[0].size))
    largest = groups[0] if groups else []
    return sorted(
        (_stack(group, group[0].scout or _stray(group, largest)) for group in groups),
        key=lambda stack: stack.scout,
    )


def differences(stacks: Sequence[Stack]) -> list[str]:
    """Return in what the stacks of a series, without scouts, differ."""
    first = [stack.positions[0][0] for stack in stacks if not stack.scout]
    found = []
    if any(not _same_orientation(each, first[0]) for each in first):
        found.append("mixed orientations")
    if any(each.size != first[0].size for each in first):
        found.append("mixed sizes")
    if any(not np.allclose(each.spacing, first[0].spacing, rtol=1e-3) for each in first):
        found.append("mixed pixel spacing")
    return found


def _belongs(one: Slice, other: Slice) -> bool:
    return (
        one.size == other.size
        and one.scout == other.scout
        and len(one.spacing) == len(other.spacing)
        and np.allclose(one.spacing, other.spacing, rtol=1e-3)
        and _same_orientation(one, other)
    )


def _same_orientation(one: Slice, other: Slice) -> bool:
    pairs = ((one.orientation[:3], other.orientation[:3]), (one.orientation[3:], other.orientation[3:]))
    return all(float(np.dot(a, b)) > SAME_DIRECTION for a, b in pairs)


def _stray(group: list[Slice], largest: list[Slice]) -> bool:
    other = not _same_orientation(group[0], largest[0])
    return other and len(group) <= 3 and len(largest) >= 4 * len(group) and not largest[0].scout


def _stack(group: list[Slice], scout: bool) -> Stack:
    normal = group[0].normal
    ordered = sorted((float(np.dot(each.position, normal)), each.order, each.source, each.frame, each) for each in group)  # fmt: skip # noqa: E501
    positions: list[list[Slice]] = []
    places: list[float] = []
    for place, *_, each in ordered:
        if places and place - places[-1] <= SAME_PLACE:
            positions[-1].append(each)
        else:
            positions.append([each])
            places.append(place)
    for at in positions:
        at.sort(key=lambda each: (each.order, each.source, each.frame))
    steps = np.diff(places)
    distance = float(np.median(steps)) if len(steps) else 0.0
    return Stack(
        positions=tuple(tuple(at) for at in positions),
        places=tuple(places),
        scout=scout,
        distance=distance,
        faults={} if scout else _faults(positions, steps, distance, normal),
    )


def _faults(positions: list[list[Slice]], steps: Vector, distance: float, normal: Vector) -> dict[str, int]:
    found: dict[str, int] = {}
    if several := sum(len(at) > 1 for at in positions):
        found["positions with several images"] = several
    # Of three slices and more: of two any distance is the usual one.
    if len(steps) > 1:
        gaps = [round(step / distance) - 1 for step in steps if step > (1 + UNEVEN) * distance]
        if missing := sum(gap for gap in gaps if gap > 0):
            found["missing positions"] = missing
        off = np.abs(steps / distance - np.maximum(np.rint(steps / distance), 1)) > UNEVEN
        if uneven := int(off.sum()):
            found["uneven distances"] = uneven
    first, last = (np.array(at[0].position) for at in (positions[0], positions[-1]))
    along = last - first
    sheared = 0.0
    if len(positions) > 1:
        sheared = math.degrees(
            math.atan2(float(np.linalg.norm(np.cross(normal, along))), abs(float(normal @ along)))
        )
    if sheared > TILTED or abs(positions[0][0].tilt) > TILTED:
        found["gantry tilt"] = len(positions)
    return found
