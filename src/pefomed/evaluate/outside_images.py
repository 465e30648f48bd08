"""The pictures that somebody else's table names: of its own folder alone, as they leave with a report.

Whoever wrote the table chose the names, and the pictures are embedded in pages and rating sessions that are
handed on. A name that leads elsewhere (`../x.png`, an absolute path, a link) could carry any picture of this
machine out; a folder that is named by hand is meant.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed.cache import cache_folder
from pefomed.data.pictures.addresses import within, without_view
from pefomed.data.readers.unpacked import ImageFile, image_of
from pefomed.data.table_cells import image_names
from pefomed.errors import DataError

_REMEDY = (
    "give it relative to the folder of the pictures, which --images FOLDER names; by default the table's"
)


def images_of(value: Any, folder: Path, separator: str, place: str) -> tuple[str, ...]:
    """Return the absolute paths of the pictures in a cell, none for an empty one.

    Args:
        value: the cell: text, a list, or what a reader unpacked of the file itself.
        folder: where names begin; absolute names are taken if they lie in it.
        separator: what stands between several names in one cell.
        place: names the row in errors.

    Raises:
        DataError: a name is none, or leads out of `folder`, by itself or by a link.
    """
    value = image_of(value, place)
    if isinstance(value, ImageFile):
        value = [value]
    names = value if isinstance(value, list) else image_names(_text(value, place), separator, folder)
    paths = []
    for name in names:
        if isinstance(name, ImageFile):  # its name was looked at where it was unpacked
            _check_links(name, (folder, cache_folder() / "images"), name, place)
            paths.append(str(name))
        elif text := _text(name, place).strip():
            paths.append(_confined(text, folder, place))
    return tuple(paths)


def _text(value: Any, place: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):  # empty, in a column of texts
        return ""
    if isinstance(value, bool | list | dict):
        raise DataError(f"{place}: the name of a picture must be text", found=repr(value)[:60])
    return str(value)


def _confined(name: str, folder: Path, place: str) -> str:
    root = os.path.abspath(folder)
    if os.path.isabs(name) and Path(os.path.normpath(name)).is_relative_to(root):
        name = os.path.relpath(name, root)
    path = within(Path(root), name, place, _REMEDY)
    _check_links(path, (folder,), name, place)
    return path


def _check_links(path: str, folders: Sequence[Path], name: str, place: str) -> None:
    # `realpath` follows what exists, and says nothing of loops and of names too long: opening them does.
    homes = [os.path.realpath(folder) for folder in folders]
    for file in (path, without_view(path)):  # a file's own name may hold a `#`
        if not any(Path(os.path.realpath(file)).is_relative_to(home) for home in homes):
            raise DataError(
                f"{place}: a picture must stay inside {os.path.abspath(folders[0])}",
                found=f"{name!r}, a link that leads out of it",
                remedy="put the picture itself there, or name the folder where it lies with --images FOLDER",
            )
