"""A mask in a column of a table: the path of its file, a picture itself, polygons, or run lengths.

    masks/0001.png                                  a file, everything but 0 inside, or from `threshold` on
    {"size": [480, 640], "counts": "..."}           COCO's run-length code, compressed or not
    [[64, 48, 320, 48, 320, 240]]                   polygons x, y, x, y, ... in pixels
    9 5 3 5                                         numbers alone, of which `runs` says what they count:

`starts`: the first pixel of each run and its length, from 1, down the columns (Kaggle); `starts across`: the
same along the rows; `gaps`: how many pixels are outside before each run, and its length, down the columns
(SIIM-ACR). An empty cell, `-1` and a mask without a pixel say that there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.box_frames import ImageSizes
from pefomed.annotations.box_numbers import Fault, Size
from pefomed.annotations.label_maps import Naming, Parts, boxes_of, regions
from pefomed.annotations.mask_bounds import Bounds
from pefomed.annotations.sample_masks import kept_mask, read_mask
from pefomed.annotations.sample_outlines import of_mask, of_segmentation
from pefomed.errors import DataError
from pefomed.files.files import json_value
from pefomed.files.unpacked import image_of
from pefomed.images.stored_values import stored_values
from pefomed.mapping.cells import cell, is_empty
from pefomed.mapping.images import ImageColumns
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Mask, Outline

Runs = Literal["starts", "starts across", "gaps"]

Placed = tuple[str, Mapping[str, Any]]

_FILE = "\0mask"
"""Where a row keeps the path of its mask: no column is called so."""


class RowMask(NamedTuple):
    """What a row's mask says."""

    mask: Mask | Outline | None
    boxes: list[Bounds]
    """Around it, or around each of its parts; in pixels of `size`."""
    size: Size


def with_files(
    rows: Iterable[Placed | LeftOut], column: str, pictures: ImageColumns
) -> Iterator[Placed | LeftOut]:
    """Yield rows with the path of the mask that they name, which stays in the folder of the images.

    Raises:
        DataError: there is no such column, or the path leads out of the folder.
    """
    for each in rows:
        if isinstance(each, LeftOut):
            yield each
            continue
        place, row = each
        value = cell(row, column, place, "boxes")
        if not is_written(value):
            found = pictures.picture(image_of(value, place), place)
            row = {**row, _FILE: found.path if found else ""}
        yield place, row


def is_nothing(value: Any) -> bool:
    """Return whether a cell says that there is no mask."""
    if isinstance(value, list | dict):
        return not value
    return is_empty(value) or (isinstance(value, str | int | float) and str(value).strip() in ("-1", "-1.0"))


def is_written(value: Any) -> bool:
    """Return whether a cell is a mask itself, and neither the path of one nor a picture."""
    if is_nothing(value) or isinstance(value, list) or (isinstance(value, dict) and "counts" in value):
        return True
    plain = value.strip() if isinstance(value, str) else ""
    written = plain[:1] in ("{", "[") or all(part.isdecimal() for part in plain.split())
    return bool(plain) and written


def row_mask(
    row: Mapping[str, Any],
    column: str,
    place: str,
    frame: ImageSizes,
    pixels: Size,
    *,
    runs: Runs | None,
    threshold: float | None,
    parts: Parts,
    scaled: bool,
) -> RowMask | Fault | None:
    """Return the mask of a row, None where there is nothing, or what is wrong with it.

    Args:
        frame: of the row's image.
        pixels: width and height of the image that run lengths and polygons are counted on.
        threshold: the least value inside of the file of a soft mask.
        scaled: files of masks may have another size, in the same proportions.

    Raises:
        DataError: the file holds several values.
        ImageError: it cannot be read.
    """
    value = cell(row, column, place, "boxes")
    if is_nothing(value):
        return None
    if path := row.get(_FILE):
        return _of_file(path, place, frame, Naming(threshold=threshold), parts, scaled)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json_value(value)
        except (RecursionError, ValueError) as error:
            return Fault("a mask that is no JSON", f"{error!s:.80}")
    outline = _of_runs(value, runs, pixels) if isinstance(value, str) else of_segmentation(value, pixels)
    if outline is None or isinstance(outline, Fault):
        return outline
    mask = read_mask(outline)
    return RowMask(outline, _boxes(mask, parts), pixels) if mask.any() else None


def _of_file(
    path: str, place: str, frame: ImageSizes, naming: Naming, parts: Parts, scaled: bool
) -> RowMask | Fault | None:
    values = stored_values(path, naming.meant)
    size = frame.pixels((values.shape[1], values.shape[0]), scaled)
    if isinstance(size, Fault):
        return Fault("a mask is not as large as its image", size.found)
    try:
        found = list(regions(values, naming, "", place))
    except DataError as error:
        remedy = "if it is soft or was saved as JPEG, set `boxes.threshold`, e.g. 128; masks of several"
        raise DataError(
            error.problem, found=error.found, remedy=f"{remedy} labels are read by the loader `masks`"
        ) from None
    if not found:
        return None
    [(_, inside)] = found
    return RowMask(kept_mask(path, values, inside, naming, 1), _boxes(inside, parts), size)


def _boxes(mask: NDArray[np.bool_], parts: Parts) -> list[Bounds]:
    return [box for box, _ in boxes_of(mask, parts)]


def _of_runs(text: str, runs: Runs | None, size: Size) -> Outline | Fault | None:
    parts = text.split()
    if not all(part.isdecimal() for part in parts):
        return Fault("a mask that is neither a file, polygons nor run lengths", f"{text!r:.60}")
    # No image has as many pixels.
    numbers = [int(part) if len(part) < 12 else 10**12 for part in parts]
    if runs is None:
        return Fault(
            "a mask of numbers alone, and nothing says what they count",
            f"{text:.60}",
            "say it in `boxes.runs`: 'starts' (Kaggle), 'starts across', or 'gaps' (SIIM-ACR)",
        )
    if len(numbers) % 2:
        return Fault("run lengths come in pairs", f"{len(numbers):,} numbers")
    width, height = size
    firsts, lengths = np.array(numbers[::2], np.int64), np.array(numbers[1::2], np.int64)
    if runs == "gaps":
        firsts += np.concatenate(([0], np.cumsum(firsts + lengths)[:-1]))
    else:
        firsts -= 1
    ends = firsts + lengths
    if (firsts < 0).any() or (ends > width * height).any() or (firsts[1:] < ends[:-1]).any():
        return Fault(
            "the runs of a mask do not fit its image, or overlap",
            f"{width} x {height} pixels, runs to {int(ends.max()):,}",
            "correct the row, or say in `boxes.runs` what its numbers count",
        )
    flat = np.zeros(width * height, np.bool_)
    for first, end in zip(firsts, ends, strict=True):
        flat[first:end] = True
    return of_mask(flat.reshape(height, width) if runs == "starts across" else flat.reshape(width, height).T)
