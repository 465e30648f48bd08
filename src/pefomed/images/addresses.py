"""What a path may say behind `#`: which frame, slice or part of a file, and through which window.

    scan.dcm#frame=3                      the fourth frame
    scan.dcm#window=lung                  a named window
    ct.nii.gz#axis=2&index=40&window=40:400
    ct.nrrd#window=wide+soft+brain        three windows as red, green and blue
    scan.png#crop=-0.1:0.05:0.9:1         a part: left, top, right, bottom as shares of the sides
    scan.png#gamma=0.8&flip=x             a changed picture, see `change`

Frames, indices and volumes count from 0. A file whose own name holds such an ending is that file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pefomed.errors import ImageError, PefomedError, nearest
from pefomed.files.files import check_inside
from pefomed.images.change import KEYS, NONE, Change, changed
from pefomed.images.crop import Crop, crop_of
from pefomed.images.windows import AUTO, Window, window


@dataclass(frozen=True)
class ImageAddress:
    """One picture in one file; None is the file's own choice."""

    file: Path
    frame: int | None = None
    """Of DICOM, TIFF and GIF; by default the first."""
    axis: int | None = None
    """Of volumes: 0 sagittal, 1 coronal, 2 axial (default)."""
    index: int | None = None
    """Of volumes: the slice, from the left, the back or the feet; by default the middle one."""
    volume: int | None = None
    """Of volumes with four dimensions; by default the first."""
    window: Window = AUTO
    crop: Crop | None = None
    """What lies beyond the image is black; by default the whole image."""
    change: Change = NONE
    """What is done to the part."""

    @property
    def view(self) -> str:
        """What stands behind `#`, in one fixed order; empty for the file as it is."""
        parts = [(name, getattr(self, name)) for name in _NUMBERS]
        text = [f"{name}={value}" for name, value in parts if value is not None]
        text += [f"window={self.window}"] if self.window != AUTO else []
        return "&".join(text + ([f"crop={self.crop}"] if self.crop else []) + self.change.view())


def address(path: str | Path) -> ImageAddress:
    """Return what `path` names.

    Raises:
        ImageError: what stands behind `#` names something unknown, or a value is wrong.
    """
    text = str(path)
    found = _VIEW.search(text)
    if found is None or _exists(text):
        return ImageAddress(Path(text))
    try:
        return ImageAddress(Path(text[: found.start()]), **_values(found.group()[1:]))
    except PefomedError as error:
        raise ImageError(
            f"{text}: {error.problem} (behind `#`)", found=error.found, remedy=error.remedy
        ) from None


def with_view(path: str, view: str) -> str:
    """Return `path` with `view` (e.g. `window=lung`) said behind `#`; what `path` says itself counts more."""
    if not view or ("#" in path and _exists(path)):
        return path
    found = _VIEW.search(path)
    if found is None:
        return f"{path}#{view}"
    own = found.group()[1:].split("&")
    names = {part.partition("=")[0] for part in own}
    added = [part for part in view.split("&") if part.partition("=")[0] not in names]
    return path[: found.start()] + "#" + "&".join([*own, *added])


def within(folder: Path, name: str, place: str, remedy: str) -> str:
    """Return the path of the picture `name` in `folder`, with what `name` says behind `#`.

    Raises:
        DataError: the name is empty, absolute, or leads out of the folder; `place` names the record.
    """
    check_inside(folder, without_view(name), place, remedy)
    return str(folder / name)


def without_view(name: str) -> str:
    """Return the name of the file, without what is said behind `#`; no disk is asked."""
    return _VIEW.sub("", name) if "#" in name else name


_NUMBERS = ("frame", "axis", "index", "volume")
_VIEW = re.compile(r"#[A-Za-z]+=[^#&/\\]*(?:&[A-Za-z]+=[^#&/\\]*)*$")


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long, or a NUL in it
        return False


def _values(view: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for part in view.split("&"):
        name, _, value = part.partition("=")
        if name in values or name in changes:
            raise ImageError(f"{name!r} is said twice")
        if name == "window":
            values[name] = window(value)
        elif name == "crop":
            values[name] = crop_of(value)
        elif name in KEYS:
            changes[name] = changed(name, value)
        elif name not in _NUMBERS:
            known = [field.name for field in fields(ImageAddress) if field.name not in ("file", "change")]
            known += KEYS
            raise ImageError(f"there is no {name!r}", remedy=nearest(name, known))
        elif not re.fullmatch(r"[0-9]{1,9}", value) or (name == "axis" and int(value) > 2):
            expected = "0, 1 or 2" if name == "axis" else "a whole number from 0"
            raise ImageError(f"{name} must be {expected}", found=repr(value))
        else:
            values[name] = int(value)
    return values | ({"change": Change(**changes)} if changes else {})
