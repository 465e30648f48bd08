"""Whether the values of a volume can be Hounsfield units, which its file does not say.

Air is -1000, fat about -100: a CT has values below -200 somewhere, in the air around or in the body; of
other volumes few have. A window by its name is refused where there are none, one in numbers never is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import ImageError
from pefomed.images.addresses import ImageAddress

AIR = -200.0
"""A value below it is air."""

Slices = tuple[slice | int, ...]
Read = Callable[[Slices], NDArray[Any]]


def check_units(
    where: ImageAddress, shape: tuple[int, ...], slices: Slices, read: Read, values: NDArray[Any]
) -> None:
    """Refuse a window in Hounsfield units for a volume without air.

    Args:
        values: of the slice that is shown; the others are looked at where it has no air.

    Raises:
        ImageError: no value is below `AIR`.
    """
    if _has_air(values) or _volume_has_air(_Question(where, shape, slices, read)):
        return
    raise ImageError(
        f"{where.file}: the window {where.window.text!r} is in Hounsfield units, for CT",
        found=f"a volume without a value below {AIR:g}, where a CT has air",
        remedy="use `auto`, `robust`, or CENTRE:WIDTH in the file's own values (which is taken for any file)",
    )


def looks_like_ct(where: ImageAddress, shape: tuple[int, ...], slices: Slices, read: Read) -> bool:
    """Return whether some value of the volume is below `AIR`."""
    return _volume_has_air(_Question(where, shape, slices, read))


class _Question:
    """A volume that equals another one of the same file, as long as the file stays as it is."""

    def __init__(self, where: ImageAddress, shape: tuple[int, ...], slices: Slices, read: Read):
        state = where.file.stat()
        whole = replace(where, axis=None, index=None)
        self._key: tuple[Path, int | None, int, int] = (
            whole.file, whole.volume, state.st_size, state.st_mtime_ns
        )  # fmt: skip
        self._shape, self._further, self._read = shape, slices[3:], read

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def parts(self) -> Iterator[NDArray[Any]]:
        """Yield the volume's values slice by slice, in the order of the file."""
        if len(self._shape) < 3:
            yield self._read((slice(None),) * len(self._shape))
            return
        for place in range(self._shape[2]):
            yield self._read((slice(None), slice(None), place, *self._further))


@functools.lru_cache(maxsize=4096)
def _volume_has_air(volume: _Question) -> bool:
    return any(_has_air(part) for part in volume.parts())


def _has_air(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iuf" and bool(np.any(values < AIR))
