"""Images of a split that cannot be read, where the recipe lets some pass.

Each is decoded once and remembered by its content, together with the audit's fingerprints: a second look
reads the bytes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pefomed.cache import cache_folder
from pefomed.errors import ImageError, listed
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.recipe import Dataset
from pefomed.schema import Sample


def unreadable(name: str, dataset: Dataset, split: str, samples: Iterable[Sample]) -> list[str]:
    """Return the paths of the images of `samples` that are missing or damaged, in order.

    With `max_unreadable` = 0 nothing is looked at: an image that cannot be read is an error where it is used.

    Args:
        name: of the data set in the recipe, for error messages; `split` likewise.

    Raises:
        ImageError: there are more than `dataset.max_unreadable`.
        StorageError: the cache cannot be written.
    """
    most = dataset.max_unreadable
    if not most:
        return []
    known = Fingerprints(cache_folder())
    try:
        known.read(path for sample in samples for path in sample.images)
    finally:
        known.close()
    found = known.unreadable
    if len(found) > most:
        raise ImageError(
            f"data set {name}: {len(found)} images of the split {split!r} cannot be read,"
            f" and max_unreadable = {most}",
            found=listed([error.problem for error in found.values()], "; ", most=10),
            remedy=f"copy or download them again, or raise data.{name}.max_unreadable",
        )
    return list(found)


def without(samples: Iterable[Sample], images: Iterable[str]) -> Iterator[Sample]:
    """Yield the samples that show none of `images`."""
    bad = frozenset(images)
    return (sample for sample in samples if bad.isdisjoint(sample.images))


def names(paths: Iterable[str]) -> str:
    """Return the file names at `paths` in one line: the first ten, and how many more."""
    return listed([Path(path).name for path in paths], most=10)
