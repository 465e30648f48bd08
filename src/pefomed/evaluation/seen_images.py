"""Which images asked about were trained on, or look like one that was: results are given for each kind.

The same pictures as the audit finds: equal once decoded, or near-duplicates (`audits.near_duplicates`), such
as neighbouring slices of a scan. A figure on all images says little where it rests on those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pefomed.audit.near_duplicates import near_duplicates
from pefomed.cache import cache_folder
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.schema import Sample

KEY = "training_image"
"""The key of the groups, `training_image=alike` for one."""

SAME, ALIKE, NEW = "same", "alike", "new"
"""Trained on; looks like one that was; neither. A sample of several images is of the first that applies."""


def seen_images(training: Iterable[Sample], asked: Sequence[Sample]) -> dict[str, str]:
    """Return the kind of each sample's images by its id; none for a sample with an unreadable image.

    Raises:
        StorageError: the cache cannot be written.
    """
    known = Fingerprints(cache_folder())
    try:
        trained = list(dict.fromkeys(path for sample in training for path in sample.images))
        known.read([*trained, *(path for sample in asked for path in sample.images)])
        before = {known.pixels[path] for path in trained if path in known.pixels}
        later = {known.pixels[path] for s in asked for path in s.images if path in known.pixels} - before
        near = near_duplicates(
            {pixels: known.bits[pixels] for pixels in before},
            {pixels: known.bits[pixels] for pixels in later},
            known.thumbnails,
        )
    finally:
        known.close()
    alike = {each.image for each in near}
    kinds = {}
    for sample in asked:
        if known.unreadable.keys() & set(sample.images):
            continue
        pixels = {known.pixels[path] for path in sample.images}
        kinds[sample.id] = SAME if pixels & before else ALIKE if pixels & alike else NEW
    return kinds
