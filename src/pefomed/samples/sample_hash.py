"""What a sample is, in 16 hex digits: two samples with the same hash ask and hold the same.

An answer, a verdict or a trained stage carries the hash of what it came from, so that a question that was
edited, an image that was replaced or a row that moved is noticed. Where the images lie, the sample's id and
what results are grouped by are no part of it: folders move, and a new column makes no new question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from pefomed.images.images import content_hash
from pefomed.schema import Sample

DIGITS = 16
"""64 bits: among a million samples two differ unseen with a chance of 1 in 37 million."""


def sample_hash(sample: Sample, image_hash: Callable[[str], str] = content_hash) -> str:
    """Return the hash of task, question, references, boxes and the images' content.

    Args:
        image_hash: gives the hash of an image's content by its path; one that remembers saves reading an
            image once for each of its questions (`functools.cache(content_hash)`).

    Raises:
        ImageError: an image is missing or empty.
    """
    return short_hash(
        sample.task,
        sample.question,
        sample.references,
        [[box.x0, box.y0, box.x1, box.y1] for box in sample.boxes],
        [image_hash(image) for image in sample.images],
    )


def short_hash(*parts: object) -> str:
    """Return the first 16 hex digits of the SHA-256 of what `parts` are as JSON."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
