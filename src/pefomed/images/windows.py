"""From measured values to 256 greys: windows, written `lung`, `40:400`, `range` ...

Three windows joined by `+` are the red, green and blue of one picture: `wide+soft+brain`.

A window of centre c and width w maps x, after DICOM PS3.3 C.11.2.1.2, to 255 times

    LINEAR         ((x - (c - 0.5)) / (w - 1) + 0.5), clipped to [0, 1]
    LINEAR_EXACT   ((x - c) / w + 0.5), clipped to [0, 1]
    SIGMOID        1 / (1 + exp(-4 (x - c) / w))
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import ImageError, nearest

NAMED = {
    "abdomen": (60.0, 400.0),
    "bone": (400.0, 1800.0),
    "brain": (40.0, 80.0),
    "liver": (60.0, 150.0),
    "lung": (-600.0, 1500.0),
    "mediastinum": (40.0, 400.0),
    "soft": (40.0, 350.0),
    "stroke": (35.0, 40.0),
    "wide": (0.0, 2048.0),
}
"""Centre and width in Hounsfield units, for CT; radiology departments differ by some units."""

TRIPLES = {"medgemma": ("wide", "soft", "brain")}
"""Names of three windows. MedGemma's own CT notebook (`high_dimensional_ct_hugging_face.ipynb`) clips to
-1024..1024, -135..215 and 0..80 for red, green and blue."""

Grey = NDArray[np.uint8]
Values = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """How values become greys."""

    text: str
    """As it was written: the name of it in paths, tables and reports."""
    centre: float | None = None
    width: float | None = None
    stored: int | None = None
    """The file's window of this number."""
    channels: tuple[Window, ...] = ()
    """The windows of red, green and blue, where it is three."""

    @property
    def in_hounsfield(self) -> bool:
        """Whether it means Hounsfield units, of CT: one with a name does."""
        return self.text in NAMED or any(each.in_hounsfield for each in self.channels)

    def __str__(self) -> str:
        return self.text


AUTO = Window("auto")
"""The file's first window; if it has none, `range`."""

RANGE = Window("range")
"""The smallest value is black, the largest white."""

ROBUST = Window("robust")
"""As `range`, between the values that 0.5 % and 99.5 % of the pixels are below."""


def window(text: str) -> Window:
    """Return the window that `text` names.

    `auto`, `range`, `robust`, `stored:N` (the file's window number N, from 0), `CENTRE:WIDTH` in
    the file's own units (CT: Hounsfield), or a name of `NAMED`; a name of `TRIPLES`, or three of
    the former joined by `+`.

    Raises:
        ImageError: it is none of these, or the width is not above 0.
    """
    if text in TRIPLES:
        return Window(text, channels=tuple(_single(each) for each in TRIPLES[text]))
    if len(parts := _BETWEEN.split(text)) > 1:
        if len(parts) != 3:
            raise ImageError(
                "windows joined by `+` are three, for red, green and blue",
                found=f"{len(parts)} in {text!r}",
                remedy="give one window, or three, e.g. wide+soft+brain",
            )
        return Window(text, channels=tuple(_single(each) for each in parts))
    return _single(text)


def linear(values: Values, centre: float, width: float) -> Values:
    """Return shares in [0, 1] by LINEAR, the standard's default; `width` is at least 1."""
    if width <= 1:  # a threshold: the formula would divide by nothing
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def exact(values: Values, centre: float, width: float) -> Values:
    """Return shares in [0, 1] by LINEAR_EXACT."""
    return np.clip((values - centre) / width + 0.5, 0, 1)


def sigmoid(values: Values, centre: float, width: float) -> Values:
    """Return shares in [0, 1] by SIGMOID."""
    return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))


FUNCTIONS: dict[str, Callable[[Values, float, float], Values]] = {
    "LINEAR": linear,
    "LINEAR_EXACT": exact,
    "SIGMOID": sigmoid,
}


def shares(values: Values, of: Window, limits: tuple[float, float]) -> Values:
    """Return shares in [0, 1] for `values` by a window that needs nothing from a file.

    Args:
        limits: what is black and what is white for `auto`, `range` and `robust`; see `limits_of`.
    """
    if of.centre is not None and of.width is not None:
        return exact(values, of.centre, of.width)
    low, high = limits
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros_like(values)


def limits_of(values: Values, counts: Counts, of: Window) -> tuple[float, float]:
    """Return what is black and what is white where each of `values` occurs `counts` times.

    Raises:
        ValueError: a value that occurs is not a finite number.
    """
    # Where all occur nothing is copied: of large pictures every copy counts.
    occurring = None if counts.all() else counts > 0
    seen = values if occurring is None else values[occurring]
    if seen.size == 0:
        return 0.0, 0.0
    low, high = float(seen.min()), float(seen.max())  # not finite if one of them is not
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("a pixel is not a finite number")
    if of == ROBUST:
        order = np.argsort(seen, kind="stable")
        below = np.cumsum((counts if occurring is None else counts[occurring])[order])
        ends = np.searchsorted(below, np.array((0.005, 0.995)) * below[-1])
        first, last = (float(seen[order[end]]) for end in ends)
        if last > first:
            return first, last
    return low, high


def in_colour(of: Window, grey: Callable[[Window], Grey]) -> Grey:
    """Return what `grey` makes of each window of `of`: (rows, columns), or of three (rows, columns, 3)."""
    return np.stack([grey(each) for each in of.channels], axis=-1) if of.channels else grey(of)


def render(stored: NDArray[Any], shade: Callable[[Values, Counts], Values]) -> Grey:
    """Return the greys of an array of any shape.

    Args:
        shade: from values and how often each occurs to shares in [0, 1]. Of at most 16 bits every
            value is shaded once, not every pixel.
    """
    if stored.size == 0:
        return np.zeros(stored.shape, np.uint8)
    if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        low, high = int(stored.min()), int(stored.max())
        counts = np.zeros(high - low + 1, np.int64)
        for some in _strips(stored):
            counts += np.bincount((some.astype(np.int32) - low).ravel(), minlength=counts.size)
        table = greys(shade(np.arange(low, high + 1, dtype=np.float64), counts))
        seen = np.empty(stored.shape, np.uint8)
        for place, some in zip(_strips(seen), _strips(stored), strict=True):
            place[...] = table[some.astype(np.int32) - low]
        return seen
    flat = stored.astype(np.float64).ravel()
    return greys(shade(flat, np.broadcast_to(np.int64(1), flat.shape))).reshape(stored.shape)


def _strips(values: NDArray[Any]) -> list[NDArray[Any]]:
    """Return views of some rows each: what is computed of a whole picture needs four times its memory."""
    rows = max(1, (1 << 20) * len(values) // max(1, values.size)) if values.ndim else 1
    return [values[top : top + rows] for top in range(0, len(values), rows)] if values.ndim else [values]


def greys(share: Values) -> Grey:
    """Return shares in [0, 1] as greys, rounded."""
    scaled = share * 255
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _single(text: str) -> Window:
    for fixed in (AUTO, RANGE, ROBUST):
        if text == fixed.text:
            return fixed
    if text in NAMED:
        return Window(text, *NAMED[text])
    if number := re.fullmatch(r"stored:([0-9]{1,3})", text):
        return Window(text, stored=int(number[1]))
    if numbers := re.fullmatch(rf"({_NUMBER}):({_NUMBER})", text):
        centre, width = float(numbers[1]), float(numbers[2])
        if width > 0 and math.isfinite(centre) and math.isfinite(width):
            return Window(text, centre, width)
        raise ImageError("a window's width must be above 0", found=text)
    known = [AUTO.text, RANGE.text, ROBUST.text, *NAMED, *TRIPLES]
    raise ImageError(
        f"unknown window {text!r}",
        remedy=f"{nearest(text, known)}; or CENTRE:WIDTH, stored:N, or three joined by `+`",
    )


_NUMBER = r"[-+]?[0-9]{1,12}(?:\.[0-9]{1,12})?"
_BETWEEN = re.compile(r"(?<=[^+:])\+")
"""The sign between windows, not the one in front of a number."""
