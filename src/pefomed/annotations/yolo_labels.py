"""The lines of a YOLO label file as boxes: a class and its box, a polygon, or keypoints behind a box.

0 0.3 0.3 0.4 0.4                  class, centre x and y, width, height, as fractions of the image
0 0.1 0.1 0.5 0.1 0.5 0.5          class, and the corners of a polygon
0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5  four corners: a polygon, or an oriented box
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.outlines import Corners, around_flat
from pefomed.errors import DataError
from pefomed.files.files import read_text


@dataclass(frozen=True)
class YoloLine:
    """One line of a label file."""

    place: str
    name: str
    """Of its class."""
    numbers: tuple[float, ...]
    """Centre, width and height; or left, top, right, bottom of a polygon."""
    corners: int
    """Of a polygon; 0 for a box."""
    tilted: bool = False
    """Whether it is four corners that are no upright rectangle."""
    polygon: tuple[float, ...] = ()
    """Its corners x, y, x, y, ..."""


def read_labels(path: Path, names: Mapping[int, str], behind: int) -> Iterator[YoloLine]:
    """Yield the lines of a label file.

    Args:
        names: class number -> name.
        behind: numbers of keypoints behind each box.

    Raises:
        DataError: a line is not as it should be, or of a class without a name.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield _label(line.split(), names, behind, f"{path}, line {number}")


def _label(cells: list[str], names: Mapping[int, str], behind: int, place: str) -> YoloLine:
    name = _name(cells[0], names, place)
    numbers = [_number(cell, place) for cell in cells[1:]]
    if behind and len(numbers) == 4 + behind:
        numbers = numbers[:4]
    if len(numbers) == 4:
        return YoloLine(place, name, tuple(numbers), 0)
    if len(numbers) < 6 or len(numbers) % 2:
        raise DataError(
            f"{place}: expected a class and four numbers, or a class and a polygon",
            found=f"{len(numbers)} numbers behind the class",
            remedy="these are a model's answers with their confidence, or keypoints of which data.yaml"
            " says no `kpt_shape`"
            if len(numbers) == 5 or len(numbers) > 6
            else "correct the line",
        )
    around = around_flat(numbers)
    if isinstance(around, Fault):
        raise around.error(place)
    tilted = len(numbers) == 8 and not _upright(numbers, around)
    return YoloLine(place, name, around, len(numbers) // 2, tilted, tuple(numbers))


def _name(cell: str, names: Mapping[int, str], place: str) -> str:
    found = re.fullmatch(r"([0-9]{1,9})(?:\.0+)?", cell)
    if found is None:
        raise DataError(f"{place}: a line begins with the number of a class", found=repr(cell)[:80])
    if int(found[1]) not in names:
        raise DataError(
            f"{place}: the class {int(found[1])} has no name",
            found=f"{len(names)} names" if names else "no names",
            remedy="say `names` in data.yaml, or the option `names = [...]`; classes count from 0",
        )
    return names[int(found[1])]


def _number(cell: str, place: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{place}: a box needs finite numbers", found=repr(cell)[:80])
    return value


def _upright(numbers: list[float], around: Corners) -> bool:
    """Return whether the four corners are those of the box around them."""
    left, top, right, bottom = around
    found = {
        (_nearer(x, left, right), _nearer(y, top, bottom))
        for x, y in zip(numbers[::2], numbers[1::2], strict=True)
    }
    return len(found) == 4 and not any(None in corner for corner in found)


_ALIKE = 1e-4  # of the image: what six digits and a pixel's rounding leave


def _nearer(value: float, low: float, high: float) -> float | None:
    return next((edge for edge in (low, high) if abs(value - edge) <= _ALIKE), None)
