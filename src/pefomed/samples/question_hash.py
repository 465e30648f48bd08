"""What was asked and what was shown, each as a hash: an answer carries both and fits no other question.

Of a sample only what the model is given counts: its task, its question, the boxes it is asked about, how many
images there are, and what these hold. A corrected reference needs no new answer, and a moved folder neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.images.remembered import hash_or_nothing
from pefomed.samples.sample_hash import sample_hash, short_hash
from pefomed.schema import Sample
from pefomed.tasks import ABOUT_BOXES


def question_hash(sample: Sample) -> str:
    """Return the hash of what is asked, whatever the right answer is and whatever the images hold."""
    # In one order: the rows of a table may be sorted.
    boxes = sorted(sample.boxes, key=lambda box: (box.x0, box.y0, box.x1, box.y1))
    asked = {
        "reference": "",
        "further_references": (),
        "boxes": tuple(boxes) if sample.task in ABOUT_BOXES else (),
    }
    return sample_hash(sample.model_copy(update=asked), lambda _: "")


def shown_hash(sample: Sample) -> str:
    """Return the hash of what the sample's images hold; empty if one of them cannot be read."""
    return shown_of(sample.images)


def shown_of(images: Sequence[str]) -> str:
    """Return the hash of what pictures hold together; empty if one of them cannot be read."""
    hashes = [hash_or_nothing(image) for image in images]
    return short_hash(*hashes) if all(hashes) else ""
