"""The values of a mask as regions with names, and these as boxes: each whole, or each connected part of it.

A map of labels has a value, or a colour, for each name. A mask of one thing has one value beside 0, or is
soft: its values, e.g. 0 to 255, say how much of a pixel is inside, and a threshold says from where on it
is. Pixels that touch at a side or a corner are connected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.mask_bounds import Bounds, bounds
from pefomed.errors import DataError, listed
from pefomed.images.stored_values import Meant

Parts = Literal["label", "component"]
"""`label`: one box around all of a label. `component`: one around each connected part."""


@dataclass(frozen=True)
class Naming:
    """What the values of a mask mean."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Value, or colour as `#ff0000` or `255,0,0` -> name. Empty: what is not 0 is inside."""
    ignore: tuple[str, ...] = ()
    """Values or colours that mean nothing, beside 0."""
    threshold: float | None = None
    """Of a soft mask: the least value inside."""

    def __post_init__(self) -> None:
        """Check that the options fit each other.

        Raises:
            DataError: a value is neither a number nor a colour, some are colours and some are not, or a
                threshold is said together with labels.
        """
        written = [*self.labels, *self.ignore]
        for text in written:
            if value_of(text) is None:
                raise DataError(
                    f"{text!r} is no value of a mask", remedy="give a whole number, `#ff0000` or `255,0,0`"
                )
        if len({_is_colour(text) for text in written}) > 1:
            raise DataError("values of a mask are numbers or colours, not both", found=listed(written))
        if self.threshold is not None and written:
            raise DataError(
                "a threshold is for soft masks of one thing, which have no labels", found=listed(written)
            )

    @property
    def meant(self) -> Meant:
        """What the values of a picture are."""
        colours = any(_is_colour(text) for text in (*self.labels, *self.ignore))
        return "colours" if colours else "numbers" if self.threshold is None else "grey"


def regions(
    values: NDArray[Any], naming: Naming, name: str, place: str
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield name and mask of every region, none of which is empty.

    Args:
        values: (height, width), as `stored_values` gives them.
        name: of what is inside, where `naming` has no labels.

    Raises:
        DataError: a value has no name, or several values may mean a soft mask or several labels.
    """
    if naming.threshold is not None:
        inside = values >= naming.threshold
        if inside.any():
            yield name, inside
        return
    there, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    nothing = {value_of(text) for text in naming.ignore} | {0}
    known = {value_of(number): label for number, label in naming.labels.items()}
    found = {value.item(): int(count) for value, count in zip(there, counts, strict=True)}
    named = {value: known[value] for value in found if value in known}
    unnamed = {value: count for value, count in found.items() if value not in named and value not in nothing}
    if naming.labels and unnamed:
        raise _without_name(unnamed, naming, place)
    if not naming.labels and len(unnamed) > 1:
        raise DataError(
            f"{place}: a mask of one thing has one value beside 0",
            found=_told(unnamed, naming.meant == "colours"),
            remedy="if it is soft or was saved as JPEG, set a threshold, e.g. 128; if its values are labels,"
            " name them in `labels`",
        )
    for value in named or dict.fromkeys(unnamed):
        if value in named or not naming.labels:
            yield named.get(value, name), values == value


def boxes_of(mask: NDArray[np.bool_], parts: Parts) -> list[tuple[Bounds, int]]:
    """Return the boxes of a region that is not empty, each with its number of pixels, from the top."""
    if parts == "label":
        found = bounds(mask)
        return [(found, int(mask.sum()))] if found else []
    from scipy import ndimage

    numbered, sizes = _components(mask)
    return [
        ((columns.start, rows.start, columns.stop, rows.stop), int(size))
        for (rows, columns), size in zip(ndimage.find_objects(numbered), sizes, strict=True)
    ]


def without_small(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Return a mask without its connected parts of fewer than `least` pixels."""
    if least <= 1:
        return mask
    numbered, sizes = _components(mask)
    return np.concatenate(([False], sizes >= least))[numbered]


def value_of(text: str) -> int | None:
    """Return the value that a text means, a colour as red * 65536 + green * 256 + blue; None for none."""
    plain = text.strip()
    if re.fullmatch(r"-?[0-9]{1,9}", plain):
        return int(plain)
    if re.fullmatch(r"#[0-9A-Fa-f]{6}", plain):
        return int(plain[1:], 16)
    channels = [int(part) for part in plain.split(",")] if _RGB.fullmatch(plain) else []
    if len(channels) == 3 and max(channels) < 256:
        return channels[0] << 16 | channels[1] << 8 | channels[2]
    return None


def _components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the number of each pixel's part, from 1 and 0 outside, and the pixels of each part."""
    from scipy import ndimage

    numbered, count = ndimage.label(mask, structure=np.ones((3, 3)))
    return numbered, np.bincount(numbered.ravel(), minlength=count + 1)[1:]


_RGB = re.compile(r"[0-9]{1,3} *, *[0-9]{1,3} *, *[0-9]{1,3}")
_MOST_TOLD = 6


def _is_colour(text: str) -> bool:
    return not re.fullmatch(r"-?[0-9]{1,9}", text.strip())


def _without_name(unnamed: Mapping[Any, int], naming: Naming, place: str) -> DataError:
    return DataError(
        f"{place}: a value without a name",
        found=_told(unnamed, naming.meant == "colours"),
        remedy=f"add it to `labels` ({listed(list(naming.labels), most=_MOST_TOLD)}), or to `ignore`",
    )


def _told(values: Mapping[Any, int], colours: bool) -> str:
    told = [f"{f'#{value:06x}' if colours else value} ({count:,} pixels)" for value, count in values.items()]
    return listed(told, most=_MOST_TOLD)
