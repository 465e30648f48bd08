"""How far the answers of two splits are distributed differently, and how far chance alone would put them.

Total variation distance, half the sum over answers of | share in one - share in the other |: 0 for equal
shares, 1 for answers that never meet. Rare answers alone make it large, so it stands beside what it is
when the same images, each with all its answers, are dealt to the splits at random.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed.audit.finding import EXAMPLES
from pefomed.audit.text import bare, normalised
from pefomed.schema import Sample
from pefomed.tasks import WORDS, where

DEALS = 200
"""Times the images are dealt."""

MOST_ANSWERS, MOST_TEXTS = 20_000, 5_000
"""Short answers, and captions or reports, of a split that are compared; of more, so many are drawn."""

_TEXTS = where(lambda task: task.answer in ("text", "marked text"))
_Part = Sequence[tuple[Hashable, str]]  # the image, and one of its answers

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def answer_shift(earlier: Sequence[Sample], later: Sequence[Sample], seed: int = 0) -> dict[str, Any]:
    """Return the distances by what is compared: `answers`, those of each answer type, `words` of long texts.

    Returns:
        name -> `n`, samples in `earlier` and in `later`; `values`, distinct answers or words in both;
        `distance`; `by_chance`, its mean when the images are dealt at random, and `chance_high`, which 95 %
        of the deals stay below; `moved`, the answers whose shares differ most.
    """
    asked = [_drawn(part, WORDS, MOST_ANSWERS, seed) for part in (earlier, later)]
    types = {_type(sample) for sample in asked[0]} & {_type(sample) for sample in asked[1]} - {""}
    compared = {"answers": asked}
    if len(types) > 1:
        compared |= {
            f"{name} answers": [[sample for sample in part if _type(sample) == name] for part in asked]
            for name in sorted(types)
        }
    compared["words"] = [_drawn(part, _TEXTS, MOST_TEXTS, seed) for part in (earlier, later)]
    return {
        name: {"n": [len(one), len(other)], **_shift(_values(one), _values(other), seed)}
        for name, (one, other) in compared.items()
        if one and other
    }


def _drawn(samples: Sequence[Sample], tasks: Sequence[str], most: int, seed: int) -> list[Sample]:
    chosen = [sample for sample in samples if sample.task in tasks]
    return chosen if len(chosen) <= most else random.Random(seed).sample(chosen, most)


def _type(sample: Sample) -> str:
    return sample.meta.get("answer_type", "").strip().lower()


def _values(samples: Sequence[Sample]) -> _Part:
    return [
        (sample.images, value)
        for sample in samples
        for value in (
            bare(sample.reference).split() if sample.task in _TEXTS else (normalised(sample.reference),)
        )
    ]


def _shift(earlier: _Part, later: _Part, seed: int) -> dict[str, Any]:
    values = sorted({value for _, value in (*earlier, *later)})
    number = {value: index for index, value in enumerate(values)}
    # An image of both splits counts as one in each: what was dealt together stays together.
    images: dict[Hashable, int] = {}
    of_image = np.array(
        [
            images.setdefault((side, image), len(images))
            for side, part in enumerate((earlier, later))
            for image, _ in part
        ]
    )
    codes = np.array([number[value] for part in (earlier, later) for _, value in part])
    is_later = np.arange(len(codes)) >= len(earlier)
    observed, difference = _distance(codes, is_later, len(values))
    rng = np.random.default_rng(seed)
    size = len({image for image, _ in later})
    dealt = []
    for _ in range(DEALS):
        chosen = np.zeros(len(images), dtype=bool)
        chosen[rng.permutation(len(images))[:size]] = True
        dealt.append(_distance(codes, chosen[of_image], len(values))[0])
    largest = np.argsort(-np.abs(difference), kind="stable")[:EXAMPLES]
    shares = [_shares(codes[side], len(values)) for side in (~is_later, is_later)]
    return {
        "values": len(values),
        "distance": round(observed, 4),
        "by_chance": round(float(np.mean(dealt)), 4),
        "chance_high": round(float(np.quantile(dealt, 0.95)), 4),
        "moved": [
            {"value": values[i], "in": round(float(shares[0][i]), 4), "of": round(float(shares[1][i]), 4)}
            for i in largest
            if difference[i]
        ],
    }


def _distance(codes: Indices, is_later: NDArray[np.bool_], count: int) -> tuple[float, Floats]:
    difference = _shares(codes[is_later], count) - _shares(codes[~is_later], count)
    return float(np.abs(difference).sum() / 2), difference


def _shares(codes: Indices, count: int) -> Floats:
    return np.bincount(codes, minlength=count) / max(len(codes), 1)
