"""When two texts, and two samples, count as the same in the audit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping

from pefomed.schema import Sample


def normalised(text: str) -> str:
    """Return the text in NFC without case and superfluous spaces."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


def bare(text: str) -> str:
    """Return the text without case, punctuation and superfluous spaces."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text.casefold())).strip()


def text_key(sample: Sample, normalise: Callable[[str], str] = normalised) -> Hashable:
    """Return what samples with the same question and answer have in common."""
    return sample.task, normalise(sample.question), normalise(sample.reference)


def triplet_key(
    sample: Sample, pixels: Mapping[str, str], normalise: Callable[[str], str] = normalised
) -> Hashable:
    """Return what samples with the same images, question, answer and boxes have in common.

    Args:
        pixels: path -> hash of the decoded image; an unreadable image is only the same as itself.
    """
    return (*(pixels.get(path, path) for path in sample.images), text_key(sample, normalise), sample.boxes)
