"""The images of what will be trained on, validated on and predicted: each is decoded, once ever.

What decodes is remembered with the audit's fingerprints, which needs the same images next.
"""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.cache import cache_folder
from pefomed.errors import ImageError, listed
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.workflow.checks.findings import Findings
from pefomed.workflow.checks.splits import CheckedSplit


def check_images(splits: Sequence[CheckedSplit], findings: Findings) -> int:
    """Add the images that cannot be read to the findings; return how many different ones there are."""
    shown: set[str] = set()
    known = Fingerprints(cache_folder())
    try:
        for one in splits:
            for asked, paths in ((False, one.trained_images), (True, one.asked_images)):
                known.read(paths)
                bad = [path for path in paths if path in known.unreadable]
                shown.update(known.pixels[path] for path in paths if path in known.pixels)
                most = 0 if asked else one.dataset.max_unreadable
                if len(bad) > most:
                    findings.wrong(_error(one, [known.unreadable[path] for path in bad], asked=asked))
    finally:
        known.close()
    return len(shown)


def _error(one: CheckedSplit, bad: Sequence[ImageError], *, asked: bool) -> ImageError:
    if asked:
        rule, remedy = "a sample to be predicted is never left out", "copy or download them again"
    else:
        rule = f"and max_unreadable = {one.dataset.max_unreadable}"
        remedy = f"copy or download them again, or raise data.{one.name}.max_unreadable"
    return ImageError(
        f"data set {one.name}: {len(bad)} images of the split {one.split!r} cannot be read, {rule}",
        found=listed([error.problem for error in bad], "; ", most=10),
        remedy=remedy,
    )
