"""The pictures of an export: where they lie, copied, or as bytes; as PNG what other programs do not read.

Others open a file with Pillow and convert it to RGB. Where that is another picture than `open_image` shows -
DICOM, NIfTI, a window or a frame, more than 8 bits, transparency, a turn in EXIF - it is written as PNG.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from pefomed.errors import ImageError, listed
from pefomed.files.storage import storage_errors
from pefomed.images.addresses import address
from pefomed.images.images import content_hash, image_size, open_image, turn_of
from pefomed.machine_paths import short_name
from pefomed.progress import track
from pefomed.schema import Sample

FOLDER = "images"
"""Where copies are within an export."""

_PLAIN = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "BMP": ".bmp"}
_MODES = ("1", "L", "P", "RGB")
_DIGITS = 32  # of the content's hash


class ExportedPictures:
    """What the pictures of an export are called in its records."""

    def __init__(self, names: dict[str, str], endings: dict[str, str], base: Path | None):
        self._names, self._endings = names, endings
        self.base = base
        """The folder that paths are relative to; None for the export's own."""

    @property
    def converted(self) -> int:
        """How many are written as PNG."""
        return sum(not ending for ending in self._endings.values())

    def name(self, path: str) -> str:
        """Return the path that stands in a record."""
        return self._names[path]

    def content(self, path: str) -> bytes:
        """Return the file that others read: as it is, or as PNG.

        Raises:
            ImageError: it is damaged.
        """
        return _content(path, self._endings[path])


def pictures(
    samples: Iterable[Sample], root: Path, out: Path | None, *, inside: bool = False
) -> ExportedPictures:
    """Return the names of all pictures; copy them into `out` if it is given.

    Args:
        root: of the data set; pictures that stay where they are get paths relative to it.
        inside: whether the records hold the pictures themselves.

    Raises:
        ImageError: one is missing or damaged, or others could not read it where it is.
        StorageError: `out` cannot be written.
    """
    paths = list(dict.fromkeys(path for sample in samples for path in sample.images))
    endings = {path: _ending(path) for path in track(paths, "looking at pictures", unit="images")}
    if inside:
        return ExportedPictures({path: _own_name(path, endings[path]) for path in paths}, endings, None)
    if out is not None:
        copying = track(paths, "copying pictures", unit="images")
        return ExportedPictures({path: _copied(path, endings[path], out) for path in copying}, endings, None)
    unlike = [path for path in paths if not endings[path]]
    if unlike:
        raise ImageError(
            f"{len(unlike):,} of {len(paths):,} pictures can be given to others as PNG only (DICOM, NIfTI,"
            " a window or frame, more than 8 bits, transparency, a turned photo)",
            found=listed([short_name(path) for path in unlike], most=3),
            remedy="add --copy-images, which writes them so",
        )
    base = _base(paths, root)
    return ExportedPictures(
        {path: Path(os.path.relpath(path, base)).as_posix() for path in paths}, endings, base
    )


def _ending(path: str) -> str:
    """Return the ending of a file that others read as it is shown here; empty for any other.

    Raises:
        ImageError: it is missing, empty or no picture.
    """
    where = address(path)
    image_size(path)
    if where.view or turn_of(path) != 1:
        return ""
    try:
        with Image.open(where.file) as image:
            plain = image.mode in _MODES and "transparency" not in image.info
            return _PLAIN.get(image.format or "", "") if plain and getattr(image, "n_frames", 1) == 1 else ""
    except (OSError, ValueError, SyntaxError):  # DICOM, NIfTI
        return ""


def _base(paths: Iterable[str], root: Path) -> Path:
    """Return the data set's folder if all pictures are in it, else the one that holds them all."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
    own = os.path.abspath(root if root.is_dir() else root.parent)
    inside = all(Path(folder).is_relative_to(own) for folder in folders)
    return Path(own if inside else os.path.commonpath(folders))


def _own_name(path: str, ending: str) -> str:
    # Of what it holds: file names may tell a person's, and the same picture is one file.
    return content_hash(path)[:_DIGITS] + (ending or ".png")


def _copied(path: str, ending: str, out: Path) -> str:
    name = f"{FOLDER}/{_own_name(path, ending)}"
    if not (out / name).exists():
        content = _content(path, ending)
        with storage_errors(out):
            (out / FOLDER).mkdir(exist_ok=True)
            (out / name).write_bytes(content)
    return name


def _content(path: str, ending: str) -> bytes:
    image = open_image(path)  # a damaged one shall not be handed on
    if ending:
        return address(path).file.read_bytes()
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
