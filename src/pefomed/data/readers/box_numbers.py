"""Four numbers of a file as a box, in the form and unit that is declared, checked against the image.

`xywh` is the top left corner, width and height; `xyxy` the top left and the bottom right corner; x to
the right and y down, in pixels or as fractions of the image. Neither is ever guessed. A box may stand
out of its image by half a pixel, as rounding leaves it, and is clipped there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pefomed.errors import DataError
from pefomed.schema import Box

Form = Literal["xywh", "xyxy"]
Unit = Literal["pixel", "relative"]
Size = tuple[int, int]
"""Width and height in pixels."""

LEAST = 0.1
"""Least width and height in pixels: what is narrower cannot be seen, and was not drawn."""

SLACK = 0.5
"""How many pixels a box may stand out of its image."""


@dataclass(frozen=True)
class Fault:
    """Why a row's box cannot be used."""

    reason: str
    """The same words for every row with this fault, so that rows can be counted by it."""
    found: str
    remedy: str = "correct the row, or remove it"

    def error(self, place: str) -> DataError:
        """Return the error for the row at `place`, e.g. `boxes.csv, line 12`."""
        return DataError(f"{place}: {self.reason}", found=self.found, remedy=self.remedy)


def box_of(numbers: Sequence[Any], form: Form, unit: Unit, size: Size) -> Box | Fault:
    """Return the box of four numbers (or their texts), or what is wrong with them.

    Args:
        size: width and height of the image that the numbers are pixels of.
    """
    said = f"{form} = ({', '.join(str(number) for number in numbers)}), unit {unit}"
    found = f"{said}, in an image of {size[0]} x {size[1]} pixels"
    values = [_finite(number) for number in numbers]
    a, b, c, d = [*values, None, None, None, None][:4]
    if len(values) != 4 or a is None or b is None or c is None or d is None:
        return Fault("a box needs four finite numbers", said)
    wrong_unit = _wrong_unit((a, b, c, d), unit)
    if wrong_unit:
        return Fault("the box is not in the declared unit", found, wrong_unit)
    x1, y1 = (a + c, b + d) if form == "xywh" else (c, d)
    if x1 < a or y1 < b:
        return Fault("the box is inverted", found, _other_form(form))
    if x1 == a or y1 == b:
        return Fault("the box has no area", found)
    width, height = size if unit == "pixel" else (1, 1)
    slack_x, slack_y = (SLACK, SLACK) if unit == "pixel" else (SLACK / size[0], SLACK / size[1])
    if a < -slack_x or b < -slack_y or x1 > width + slack_x or y1 > height + slack_y:
        return Fault("the box stands out of its image", found, _other_form(form))
    if min((x1 - a) / width * size[0], (y1 - b) / height * size[1]) < LEAST:
        return Fault("the box is narrower than a tenth of a pixel", found)
    left, top = max(a / width, 0.0), max(b / height, 0.0)
    right, bottom = min(x1 / width, 1.0), min(y1 / height, 1.0)
    if left >= right or top >= bottom:
        return Fault("the box has no area", found)
    return Box(x0=left, y0=top, x1=right, y1=bottom)


def size_fault(true: Size, said: tuple[Any, Any], scaled: bool = False) -> Fault | None:
    """Return what is wrong if an image is not as large as its table says.

    Args:
        said: width and height of the table, as numbers or their texts.
        scaled: the images were scaled; only the ratio of the sides must be right, to within a pixel.
    """
    width, height = (_finite(number) for number in said)
    found = f"{said[0]} x {said[1]} in the table, {true[0]} x {true[1]} in the file"
    if width is None or height is None or width < 1 or height < 1:
        return Fault("width and height must be numbers of pixels", f"{said[0]} x {said[1]}")
    if scaled:
        off = min(abs(true[0] - width * true[1] / height), abs(true[1] - height * true[0] / width))
        if off > 1:
            return Fault("the image has other proportions than the table says", found)
    elif true != (width, height):
        return Fault(
            "the image is not as large as the table says",
            found,
            "use the original image; if all images were scaled in proportion, set the option"
            " `scaled_images = true`",
        )
    return None


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # the latter of an integer with more than 308 digits
        return None
    return number if math.isfinite(number) else None


def _wrong_unit(values: tuple[float, float, float, float], unit: Unit) -> str | None:
    if unit == "pixel" and all(0 <= value <= 1 for value in values):
        return "these look like fractions of the image: set unit = 'relative', or correct the row"
    if unit == "relative" and max(values) > 2:
        return "these look like pixels: set unit = 'pixel', or correct the row"
    return None


def _other_form(form: Form) -> str:
    other = "xyxy" if form == "xywh" else "xywh"
    return f"correct the row; if most rows are like this, the form may be {other!r} instead of {form!r}"
