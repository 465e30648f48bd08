"""CIDEr (Vedantam et al., CVPR 2015) as pycocoevalcap 1.2 computes it: clipped, with a length penalty.

An n-gram w of a text weighs g(w) = count(w) * (ln N - ln max(1, df(w))), N the number of items of the
test corpus, df(w) the number of items whose references hold w. For n = 1..4 an answer h and a
reference r agree by

    sum_w min(g_h(w), g_r(w)) g_r(w) / (|g_h| |g_r|) * exp(-(l_h - l_r)^2 / (2 * 6^2))

with l the number of 2-grams; CIDEr is 10 times the mean over n and references, 0 to 10.
df comes from the references of the test corpus: a value depends on the other items, and a corpus of one
item has the value 0. Here df is an argument, so that a group, or all but one image, keeps the corpus's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.captions.bleu import ORDER, Ngram, ngrams

SIGMA = 6.0


class TermWeights(NamedTuple):
    """How much an n-gram tells, from the references of a corpus."""

    frequencies: dict[Ngram, int]
    """In how many items an n-gram occurs."""
    items: int

    def of(self, ngram: Ngram) -> float:
        """Return ln N - ln max(1, df)."""
        return math.log(self.items) - math.log(max(1, self.frequencies.get(ngram, 0)))


class TermVector(NamedTuple):
    """A text: its weighted n-grams, their Euclidean norms for n = 1..4, and the number of its 2-grams."""

    values: dict[Ngram, float]
    norms: tuple[float, ...]
    bigrams: int


def weights(references: Iterable[Sequence[Sequence[str]]]) -> TermWeights:
    """Return the weights of a corpus: for each item its tokenised references."""
    frequencies: Counter[Ngram] = Counter()
    items = 0
    for several in references:
        items += 1
        frequencies.update({ngram for reference in several for ngram in ngrams(reference)})
    return TermWeights(dict(frequencies), items)


def vector(tokens: Sequence[str], weigh: TermWeights) -> TermVector:
    """Return a tokenised text as a weighted vector."""
    counts = Counter(ngrams(tokens))
    values = {ngram: count * weigh.of(ngram) for ngram, count in counts.items()}
    squares = [0.0] * ORDER
    for ngram, value in values.items():
        squares[len(ngram) - 1] += value * value
    return TermVector(values, tuple(math.sqrt(square) for square in squares), max(0, len(tokens) - 1))


def similarity(answer: TermVector, reference: TermVector) -> float:
    """Return the CIDEr of one answer and one reference, 0 to 10."""
    sums = [0.0] * ORDER
    for ngram, value in answer.values.items():
        other = reference.values.get(ngram)
        if other is not None:
            sums[len(ngram) - 1] += min(value, other) * other
    total = 0.0
    for n in range(ORDER):
        norms = answer.norms[n] * reference.norms[n]
        total += sums[n] / norms if norms else sums[n]
    difference = answer.bigrams - reference.bigrams
    return 10 * total / ORDER * math.exp(-(difference**2) / (2 * SIGMA**2))


def cider(
    candidates: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    weigh: TermWeights | None = None,
) -> NDArray[np.float64]:
    """Return the CIDEr of every tokenised answer, shape (N,); their mean is the corpus's CIDEr.

    Args:
        references: for each answer its references, at least one.
        weigh: the corpus the weights are from; by default `references`.
    """
    weigh = weights(references) if weigh is None else weigh
    scores = []
    for candidate, several in zip(candidates, references, strict=True):
        answer = vector(candidate, weigh)
        scores.append(sum(similarity(answer, vector(each, weigh)) for each in several) / len(several))
    return np.array(scores, dtype=np.float64)
