"""Which column of a table names its images, and in which folder these are: names that are files there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.data.mapping.paths import unpacked_text
from pefomed.data.proposals.looked import Looked
from pefomed.data.proposals.names import plain
from pefomed.data.readers.unpacked import ImageFile

LOOKED_AT = 20
"""Different names of a column that are looked for."""

ENDINGS = ("", ".png", ".jpg", ".jpeg", ".dcm", ".tif", ".tiff", ".webp", ".bmp", ".nii.gz", ".nii")
"""What may be missing at the end of a name."""


@dataclass(frozen=True)
class Images:
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


def image_columns(looked: Looked) -> list[Images]:
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
            found.append(Images(column, column, ".", 0, 0))
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


def _is_picture(value: Any) -> bool:
    """Return whether a cell is a picture's own bytes, or a text of them."""
    if isinstance(value, Mapping):
        return bool(value.get("bytes"))
    return isinstance(value, bytes) or (
        isinstance(value, str) and value.startswith(_WRITTEN) and len(value) > 60
    )


def _share(one: Images) -> float:
    return one.found / one.looked if one.looked else 1.0


def _is_named(column: str) -> bool:
    return any(
        word in plain(column)
        for word in ("image", "img", "path", "file", "picture", "figure", "scan", "dicom")
    )


def _best(column: str, names: list[str], base: Path, folders: list[str]) -> Images | None:
    best: Images | None = None
    for folder in folders:
        for ending in ENDINGS:
            found = sum(os.path.isfile(base / folder / f"{name}{ending}") for name in names if name)
            if found > (best.found if best else 0):
                source = column if not ending else f"{{{column}}}{ending}"
                best = Images(column, source, folder, found, len(names))
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
