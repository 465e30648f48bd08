"""Where the mask of a phrase is, kept with its sample so that answers can be held against the mask itself.

An outline is kept as it is: `sample_outlines`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.label_maps import Naming, without_small
from pefomed.annotations.sample_outlines import outline_mask
from pefomed.errors import DataError
from pefomed.images.stored_values import Meant, stored_values
from pefomed.schema import Mask, Outline


def kept_mask(path: str, values: NDArray[Any], inside: NDArray[np.bool_], naming: Naming, least: int) -> Mask:
    """Return where a region of a file is found again.

    Args:
        path: of the file, with its slice.
        values: what it holds, (height, width).
        inside: the region, likewise, not empty.
        least: pixels of a connected part that belongs to it.
    """
    return Mask(
        path=path,
        meant=naming.meant,
        value=None if naming.threshold is not None else float(values[inside][0]),
        threshold=naming.threshold,
        least=least,
        digest=_digest(without_small(inside, least)),
    )


def read_mask(
    mask: Mask | Outline, read: Callable[[str, Meant], NDArray[Any]] = stored_values
) -> NDArray[np.bool_]:
    """Return what is inside of a mask, (height, width), as the picture is shown.

    Args:
        read: gives the values of a file; one that remembers the last saves reading it for each of its labels.

    Raises:
        DataError: the mask has changed since its boxes were read.
        ImageError: the file is gone, or cannot be read.
    """
    if isinstance(mask, Outline):
        return outline_mask(mask)
    values = read(mask.path, mask.meant)
    inside = values == mask.value if mask.threshold is None else values >= mask.threshold
    inside = without_small(inside, mask.least)
    if _digest(inside) != mask.digest:
        raise DataError(
            f"{mask.path}: the mask has changed since its boxes were read",
            remedy="put the mask back, or make the run anew",
        )
    return inside


def _digest(inside: NDArray[np.bool_]) -> str:
    shape = ",".join(map(str, inside.shape)).encode()
    return hashlib.blake2b(shape + np.packbits(inside).tobytes(), digest_size=8).hexdigest()
