"""The picture mirrored, with left and right in question, answer and boxes exchanged.

The same picture again: an answer that was read from it becomes its mirror image, word for word and box for
box. What a mirrored body cannot be told from (a heart on the right side) is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pefomed import tasks
from pefomed.errors import ImageError
from pefomed.images.addresses import address, with_view
from pefomed.images.change import Change
from pefomed.probes.english import FOREIGN, is_english
from pefomed.probes.probed import Probed, changed, collected
from pefomed.samples.side_words import exchanged
from pefomed.schema import Box, Sample

UNSURE = "left and right cannot be exchanged in its words for sure"
SIDES = "names_side"
"""Meta key of a mirrored sample: whether its question or answer names a side."""

_FLIPPED = Change(flip=True)


def mirrored(samples: Iterable[Sample]) -> Probed:
    """Return the samples with mirrored pictures, words and boxes."""
    return collected((sample, _mirrored(sample)) for sample in samples)


def mirrored_boxes(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return the boxes as they lie in the mirrored picture."""
    return tuple(box for one in boxes if (box := _FLIPPED.box(one, (1, 1), 0.0)) is not None)


def _mirrored(sample: Sample) -> Sample | str:
    if not is_english(sample):
        return FOREIGN
    texts = (sample.question, *sample.references)
    words = [text for text in map(exchanged, texts) if text is not None]
    if len(words) != len(texts):
        return UNSURE
    if any(_is_mirrored(image) for image in sample.images):
        return "its picture is a mirrored one already"
    question, reference, *further = words
    sided = words != list(texts) or (sample.task in tasks.BOXES)
    return changed(
        sample,
        images=tuple(with_view(image, "flip=x") for image in sample.images),
        question=question,
        reference=reference,
        further_references=tuple(further),
        boxes=mirrored_boxes(sample.boxes),
        meta={**sample.meta, SIDES: "yes" if sided else "no"},
    )


def _is_mirrored(image: str) -> bool:
    try:
        return address(image).change.flip
    except ImageError:  # whoever opens it says what is wrong
        return False
