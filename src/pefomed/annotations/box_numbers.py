"""Four numbers of a file as a box, in the form and unit that is declared, checked against the image.

`xywh` is the top left corner, width and height; `xyxy` the top left and the bottom right corner, `yxyx` the
same with y first; `cxcywh` the centre, width and height; x to the right and y down. In pixels, or as shares
of the image: fractions, percent, or thousandths. Neither is ever guessed. A box may stand out of its image
by half a pixel, or by one step of thousandths, as rounding leaves it, and is clipped there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pefomed.errors import DataError
from pefomed.schema import Box

Form = Literal["xywh", "xyxy", "cxcywh", "yxyx"]
Unit = Literal["pixel", "relative", "percent", "thousand"]
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
        if any(isinstance(one, str) and _DECIMAL_COMMA.fullmatch(one) for one in numbers):
            remedy = "write the numbers with a decimal point: 64.5 instead of 64,5"
            return Fault("a box needs four numbers with decimal points", said, remedy)
        return Fault("a box needs four finite numbers", said)
    wrong_unit = _wrong_unit((a, b, c, d), unit)
    if wrong_unit:
        return Fault("the box is not in the declared unit", found, wrong_unit)
    x0, y0, x1, y1 = _corners((a, b, c, d), form)
    if x1 < x0 or y1 < y0:
        return Fault("the box is inverted", found, _other_form(form))
    if x1 == x0 or y1 == y0:
        return Fault("the box has no area", found)
    width, height = (_SHARES[unit],) * 2 if unit in _SHARES else size
    slack_x, slack_y = (_slack(unit, pixels) for pixels in size)
    if x0 < -slack_x or y0 < -slack_y or x1 > width + slack_x or y1 > height + slack_y:
        return Fault("the box stands out of its image", found, _other_form(form))
    if min((x1 - x0) / width * size[0], (y1 - y0) / height * size[1]) < LEAST:
        return Fault("the box is narrower than a tenth of a pixel", found)
    left, top = max(x0 / width, 0.0), max(y0 / height, 0.0)
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


_DECIMAL_COMMA = re.compile(r"\s*-?\d+,\d+\s*")


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # the latter of an integer with more than 308 digits
        return None
    return number if math.isfinite(number) else None


def _corners(values: tuple[float, float, float, float], form: Form) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom."""
    a, b, c, d = values
    if form == "xyxy":
        return a, b, c, d
    if form == "yxyx":
        return b, a, d, c
    if form == "cxcywh":
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    return a, b, a + c, b + d


_SHARES = {"relative": 1, "percent": 100, "thousand": 1000}
"""What the whole width or height is in units that are shares of it."""


def _slack(unit: Unit, pixels: int) -> float:
    """Return by how much a box may stand out of a side of `pixels`, in its unit."""
    if unit == "pixel":
        return SLACK
    return max(SLACK / pixels * _SHARES[unit], 1.0 if unit == "thousand" else 0.0)


def _wrong_unit(values: tuple[float, float, float, float], unit: Unit) -> str | None:
    if unit != "relative" and all(0 <= value <= 1 for value in values):
        return "these look like fractions of the image: set unit = 'relative', or correct the row"
    # An edge and a width add up to the whole at most; twice that is no slip of rounding.
    if unit in _SHARES and max(values) > 2 * _SHARES[unit]:
        return f"these are larger than the image: set unit = {_LARGER[unit]}, or correct the row"
    return None


_LARGER = {
    "relative": "'pixel', 'percent' or 'thousand'",
    "percent": "'pixel' or 'thousand'",
    "thousand": "'pixel'",
}
_OTHERS: dict[Form, str] = {
    "xywh": "'xyxy'",
    "xyxy": "'xywh'",
    "cxcywh": "'xywh' or 'xyxy'",
    "yxyx": "'xyxy'",
}


def _other_form(form: Form) -> str:
    return f"correct the row; if most rows are like this, the form may be {_OTHERS[form]} instead of {form!r}"
