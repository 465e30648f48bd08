"""Images as JPEG data URIs, small enough together for one page; one that cannot be opened is named."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from PIL import Image

from pefomed import progress
from pefomed.errors import ImageError
from pefomed.images.images import from_image
from pefomed.machine_paths import short_name, without_paths
from pefomed.samples.no_image import NO_IMAGE

BUDGET = 16_000_000
"""Most characters of all data URIs together: leaves room for texts in a page of 25 MB."""

SIZES = ((320, 82), (256, 76), (192, 70), (128, 62), (96, 50), (64, 40))
"""`(longest side in pixels, JPEG quality)`, tried until all images fit the budget."""


@dataclass(frozen=True)
class Thumbnail:
    name: str
    """The file's name and its folder's, enough to find it and silent about the machine."""
    uri: str
    """Empty if the image could not be opened, or is not to be shown."""
    problem: str = ""
    ratio: float = 1.0
    """Width over height."""


def thumbnails(paths: Iterable[str], budget: int = BUDGET) -> dict[str, Thumbnail]:
    """Return a thumbnail for each distinct path, all at the largest of `SIZES` that fits `budget`.

    Of a budget of 0 none is opened: they are named alone.
    Images beyond what fits at the smallest size are left out, and say so.
    """
    distinct = list(dict.fromkeys(paths))
    if not budget:
        return {path: Thumbnail(short_name(path), "") for path in distinct}
    # Kept at the current size only, so that thousands of originals are never in memory together.
    images: dict[str, Image.Image] = {}
    uris: dict[str, str] = {}
    problems: dict[str, str] = {}
    ratios: dict[str, float] = {}
    used, size = 0, 0
    for path in progress.track(distinct, "thumbnails", unit="images"):
        try:
            ratios[path], images[path] = from_image(path, partial(_small, side=SIZES[size][0]))
        except ImageError as error:
            # What somebody else's answers without images have in its place says so itself.
            absent = path.startswith(NO_IMAGE)
            problems[path] = path if absent else without_paths(error.problem.replace(path, short_name(path)))
            continue
        uris[path] = _data_uri(images[path], SIZES[size][1])
        used += len(uris[path])
        while used > budget and size + 1 < len(SIZES):
            size += 1
            images = {key: _shrunk(image, SIZES[size][0]) for key, image in images.items()}
            uris = {key: _data_uri(image, SIZES[size][1]) for key, image in images.items()}
            used = sum(map(len, uris.values()))
        if used > budget:
            used -= len(uris.pop(path))
            problems[path] = f"{short_name(path)} is left out: the page would become too large"
    return {
        path: Thumbnail(short_name(path), uris.get(path, ""), problems.get(path, ""), ratios.get(path, 1.0))
        for path in distinct
    }


def left_out(path: str, reason: str) -> Thumbnail:
    """Return what stands for a picture that is not to be opened."""
    return Thumbnail(short_name(path), "", reason)


def _small(original: Image.Image, side: int) -> tuple[float, Image.Image]:
    ratio = round(original.width / original.height, 4)
    if max(original.size) > side:
        original.thumbnail((side, side), Image.Resampling.LANCZOS)
    return ratio, original


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    if max(image.size) <= side:
        return image
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _data_uri(image: Image.Image, quality: int) -> str:
    buffer = io.BytesIO()
    _without_idle_colour(image).save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _without_idle_colour(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return red if red.tobytes() == green.tobytes() == blue.tobytes() else image
