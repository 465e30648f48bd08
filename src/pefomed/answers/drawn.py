"""Whether answers that were drawn to one question agree, with each other and with the answer given.

Answers in words are the same if they are equal after the VQA challenge's normalisation. Texts agree as far as
their words do (F1). Boxes agree by the IoU of their unions; of two answers that there is none it is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from pefomed.boxes import Writing
from pefomed.boxes.region import areas
from pefomed.metrics.exact_match import exact_match_vqa
from pefomed.metrics.overlap import token_f1
from pefomed.schema import Box, Sample
from pefomed.tasks import BOXES, TEXTS, WORDS

SAME_BOX = 0.5
"""IoU from which on two answers are the same place."""


class _Boxes(NamedTuple):
    boxes: tuple[Box, ...]
    readable: bool


def agreement(sample: Sample, texts: Sequence[str], writing: Writing) -> float:
    """Return the mean agreement of all pairs of drawn answers, in [0, 1]; NaN where a task has none."""
    read = [_read(sample, text, writing) for text in texts]
    pairs = [_alike(sample, *pair) for pair in combinations(read, 2)]
    return sum(pairs) / len(pairs) if pairs else float("nan")


def support(sample: Sample, text: str, texts: Sequence[str], writing: Writing) -> float:
    """Return the share of drawn answers that say the same as the answer `text`; NaN for free texts."""
    if sample.task not in (*WORDS, *BOXES) or not texts:
        return float("nan")
    given = _read(sample, text, writing)
    found = [_alike(sample, given, _read(sample, each, writing)) for each in texts]
    return sum(one >= SAME_BOX for one in found) / len(found)


def _read(sample: Sample, text: str, writing: Writing) -> str | _Boxes:
    if sample.task not in BOXES:
        return text
    reading = writing.read(text)
    return _Boxes(writing.placed(reading.boxes, sample.size).boxes, bool(reading.boxes) or reading.says_none)


def _alike(sample: Sample, one: str | _Boxes, other: str | _Boxes) -> float:
    if isinstance(one, _Boxes) and isinstance(other, _Boxes):
        if not one.readable or not other.readable:
            return 0.0
        return areas(one.boxes, other.boxes).iou if one.boxes or other.boxes else 1.0
    assert isinstance(one, str)
    assert isinstance(other, str)
    if sample.task in WORDS:
        # What both leave empty is the same thing said, unlike in a comparison with a reference.
        return float(exact_match_vqa(one, other) or one.strip() == other.strip())
    return token_f1(one, other) if sample.task in TEXTS else float("nan")
