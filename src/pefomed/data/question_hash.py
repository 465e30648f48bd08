"""What was asked and what was shown, each as a hash: an answer carries both and fits no other question.

Of a sample only what the model is given counts: its task, its question, the boxes it is asked about, how many
images there are, and what these hold. A corrected reference needs no new answer, and a moved folder neither.
"""

from __future__ import annotations

from pefomed.data.pictures.images import content_hash
from pefomed.data.sample_hash import sample_hash, short_hash
from pefomed.errors import ImageError
from pefomed.schema import Sample

_ASKED_ABOUT_BOXES = "identify"


def question_hash(sample: Sample) -> str:
    """Return the hash of what is asked, whatever the right answer is and whatever the images hold."""
    # In one order: the rows of a table may be sorted.
    boxes = sorted(sample.boxes, key=lambda box: (box.x0, box.y0, box.x1, box.y1))
    asked = {
        "reference": "",
        "further_references": (),
        "boxes": tuple(boxes) if sample.task == _ASKED_ABOUT_BOXES else (),
    }
    return sample_hash(sample.model_copy(update=asked), lambda _: "")


class ImageHashes:
    """The hashes of what images hold, each file read once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, sample: Sample) -> str:
        """Return the hash of what the sample's images hold; empty if one of them cannot be read."""
        hashes = [self._hash(image) for image in sample.images]
        return short_hash(*hashes) if all(hashes) else ""

    def _hash(self, image: str) -> str:
        if image not in self._known:
            try:
                self._known[image] = content_hash(image)
            except (ImageError, OSError):
                self._known[image] = ""
        return self._known[image]
