"""The box of a mask's pixels: from the first to behind the last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bounds = tuple[int, int, int, int]
"""Left, top, and what is right of and below the last pixel."""


def bounds(mask: NDArray[np.bool_]) -> Bounds | None:
    """Return the box of the pixels inside of a mask (height, width); None where there are none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
