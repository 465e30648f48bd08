"""Similar training images of a question, and what was asked and answered about them, told in its prompt.

Images are compared by their frozen features: the mean over an image's patches, less the mean over all
training images, by the cosine. Of each of the most similar images that has been asked something in the same
task, the question that has most words in common (Jaccard) is told with its answer, a phrase with its boxes:

    Where is the liver? (similar images: Where is the liver? Left; Where is the liver? Upper Left)

Known are the samples that the data set is trained on, and nothing else. In training an image never tells of
itself: what has the same content is left out. A near duplicate does tell; results of new and of similar
images are therefore given apart.

Shapes: T training images, P patches, D width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from pefomed.datasets.changed_copies import original
from pefomed.images.remembered import hash_or_nothing
from pefomed.models.protocol import ImageFeatures
from pefomed.schema import Sample
from pefomed.tasks import TASKS

Images = tuple[str, ...]


def can_be_told(task: str) -> bool:
    """Return whether a prompt of the task has a place for what is told: at its question or phrase."""
    return TASKS[task].asked in ("question", "phrase") and not TASKS[task].names_phrase


class Archive:
    """The training samples by image, and their images' features."""

    def __init__(
        self,
        samples: Iterable[Sample],
        features: Callable[[Iterable[str]], ImageFeatures],
        answer: Callable[[Sample], str],
    ):
        """Read the features of all images.

        Args:
            answer: returns a sample's answer as it is trained on.
        """
        self._features, self._answer = features, answer
        self._asked: dict[Images, dict[str, list[Sample]]] = {}
        for sample in samples:
            if can_be_told(sample.task):
                self._asked.setdefault(sample.images, {}).setdefault(sample.task, []).append(sample)
        self._images = list(self._asked)
        self._ranked: dict[Images, list[Images]] = {}
        raw = [self._pooled(images) for images in self._images]
        self._middle = torch.stack(raw).mean(0) if raw else torch.zeros(1)
        self._known = torch.stack([self._unit(one) for one in raw]) if raw else torch.zeros(0, 1)  # (T, D)

    def told(
        self,
        sample: Sample,
        most: int,
        *,
        leave_out: bool,
        fits: Callable[[Sample], bool] = lambda _: True,
    ) -> Sample:
        """Return the sample with what was asked about at most so many similar images.

        Args:
            leave_out: leave out images of the same content as the sample's own, in training.
            fits: whether a prompt is short enough; the least similar images are left away until it is.
        """
        if not can_be_told(sample.task):
            return sample
        found = self.similar(sample, most, leave_out=leave_out)
        while found:
            lines = "; ".join(f"{each.question} {self._answer(each)}" for each in found)
            longer = sample.model_copy(update={"question": f"{sample.question} (similar images: {lines})"})
            if fits(longer):
                return longer
            found = found[:-1]
        return sample

    def similar(self, sample: Sample, most: int, *, leave_out: bool) -> list[Sample]:
        """Return the nearest question about each of the most similar images, the most similar first."""
        own = set(map(_content, sample.images)) if leave_out else set()
        found: list[Sample] = []
        for images in self._by_likeness(sample.images):
            asked = self._asked[images].get(sample.task, [])
            if not asked or own & set(map(_content, images)):
                continue
            # max keeps the first of equals: the earlier in the training data.
            found.append(max(asked, key=lambda each: _in_common(each.question, sample.question)))
            if len(found) == most:
                break
        return found

    def _by_likeness(self, images: Images) -> list[Images]:
        if images not in self._ranked:
            likeness = self._known @ self._unit(self._pooled(images))  # (T,)
            order = torch.argsort(likeness, descending=True, stable=True).tolist()
            self._ranked[images] = [self._images[place] for place in order]
        return self._ranked[images]

    def _pooled(self, images: Images) -> Tensor:
        parts: Sequence[Tensor] = [one.float() for one in self._features(images)]  # (P, D) each
        return torch.cat([*parts]).mean(0).cpu()

    def _unit(self, pooled: Tensor) -> Tensor:
        return torch.nn.functional.normalize(pooled - self._middle, dim=0)


def _content(image: str) -> str:
    """Return what tells an image from others: its content's hash, of a changed copy that of its original."""
    return hash_or_nothing(original(image)) or image


def _in_common(one: str, other: str) -> float:
    words, others = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    return len(words & others) / len(words | others) if words | others else 1.0
