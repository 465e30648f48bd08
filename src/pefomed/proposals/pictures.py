"""Which column of a table names its images, and in which folder these are: names that are files there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.files.unpacked import ImageFile
from pefomed.mapping.paths import unpacked_text
from pefomed.proposals.names import plain, view_of, view_rank
from pefomed.proposals.table_sample import TableSample

LOOKED_AT = 20
"""Different names of a column that are looked for."""

ENDINGS = ("", ".png", ".jpg", ".jpeg", ".dcm", ".tif", ".tiff", ".webp", ".bmp", ".nii.gz", ".nii")
"""What may be missing at the end of a name."""


@dataclass(frozen=True)
class ImageColumn:
    """A column that names images."""

    column: str
    source: str
    """What the recipe says: the column, or a template with the ending."""
    folder: str
    """Relative to the table's folder."""
    found: int
    """Names of which there is a file."""
    looked: int

    @property
    def why(self) -> str:
        if not self.looked:
            return "the images are inside the file"
        where = "beside the table" if self.folder == "." else f"in {self.folder}"
        return f"{self.found} of {self.looked} names that were looked for are files {where}"


def image_columns(looked: TableSample) -> list[ImageColumn]:
    """Return the columns that name images, the likeliest first; none if no name is a file."""
    base = looked.path.parent
    folders = list(_folders(base))
    found = []
    for column in looked.columns:
        values = looked.values(column)
        values = [
            one
            for value in map(unpacked_text, values)
            for one in (value if isinstance(value, list) else [value])
        ]
        if any(isinstance(value, ImageFile) or _is_picture(value) for value in values[:LOOKED_AT]):
            found.append(ImageColumn(column, column, ".", 0, 0))
            continue
        names = list(dict.fromkeys(str(one).strip() for one in values if isinstance(one, str | int)))[
            :LOOKED_AT
        ]
        best = _best(column, [name for name in names if len(name) < _LONGEST], base, folders)
        if best is not None:
            found.append(best)
    if any(map(_is_named, looked.columns)) and not any(_is_named(one.column) for one in found):
        # Its files are elsewhere: that an answer `b` is a file `b.png` somewhere says nothing.
        found = [one for one in found if not one.looked]
    return sorted(found, key=lambda one: (-_share(one), not _is_named(one.column), one.source != one.column))


def roles_of(images: Sequence[ImageColumn]) -> dict[str, ImageColumn]:
    """Return the columns of several images of a row by what their names say, in order; none for one.

    Columns that differ in a number alone, `image_1` and `image_2`, have their numbers as names.
    """
    among = [one for one in images if one.folder == images[0].folder and one.looked == one.found]
    views = {one.column: view_of(one.column) for one in among}
    plain_ones = [column for column, view in views.items() if view is None and _is_named(column)]
    if "prior" in views.values() and "current" not in views.values() and len(plain_ones) == 1:
        views[plain_ones[0]] = "current"
    said = [one for one in among if views[one.column]]
    if len(said) > 1 and len({views[one.column] for one in said}) == len(said):
        return {
            str(views[one.column]): one
            for one in sorted(said, key=lambda one: view_rank(str(views[one.column])))
        }
    numbered = {one.column: _numbered(one.column) for one in among if _is_named(one.column)}
    parts = {column: match for column, match in numbered.items() if match}
    if len(parts) < 2 or len({match[1] for match in parts.values()}) > 1:
        return {}
    by_number = sorted(
        (one for one in among if one.column in parts), key=lambda one: int(parts[one.column][2])
    )
    return {parts[one.column][2]: one for one in by_number}


def _numbered(column: str) -> re.Match[str] | None:
    return re.fullmatch(r"(.*?)[ _.-]?(\d{1,2})", column)


def _is_picture(value: Any) -> bool:
    """Return whether a cell is a picture's own bytes, or a text of them."""
    if isinstance(value, Mapping):
        return bool(value.get("bytes"))
    return isinstance(value, bytes) or (
        isinstance(value, str) and value.startswith(_WRITTEN) and len(value) > 60
    )


def _share(one: ImageColumn) -> float:
    return one.found / one.looked if one.looked else 1.0


def _is_named(column: str) -> bool:
    return any(
        word in plain(column)
        for word in ("image", "img", "path", "file", "picture", "figure", "scan", "dicom")
    )


def _best(column: str, names: list[str], base: Path, folders: list[str]) -> ImageColumn | None:
    best: ImageColumn | None = None
    for folder in folders:
        for ending in ENDINGS:
            found = sum(os.path.isfile(base / folder / f"{name}{ending}") for name in names if name)
            if found > (best.found if best else 0):
                source = column if not ending else f"{{{column}}}{ending}"
                best = ImageColumn(column, source, folder, found, len(names))
    return best


def _folders(base: Path) -> Iterator[str]:
    """Yield where images may be: beside the table, below it, and in the folders beside its own."""
    yield "."
    below = [*_inside(base)]
    yield from (folder.relative_to(base).as_posix() for folder in below)
    deeper = [inner for folder in below for inner in _inside(folder)][:_FOLDERS]
    yield from (folder.relative_to(base).as_posix() for folder in deeper)
    yield from ("..", "../..")
    if base.parent != base:
        beside = [folder for folder in _inside(base.parent) if folder != base]
        yield from (f"../{folder.name}" for folder in beside)


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(one.name for one in entries if one.is_dir() and not one.name.startswith("."))
    except OSError:  # not ours to read
        return []
    return [folder / name for name in names[:_FOLDERS]]


_WRITTEN = ("data:image/", "iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "SUkqA", "TU0AK", "Qk0")
"""How PNG, JPEG, GIF, WebP, TIFF and BMP begin as base64."""
_FOLDERS = 30
_LONGEST = 500  # characters
