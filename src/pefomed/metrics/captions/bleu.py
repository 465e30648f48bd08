"""BLEU-1 to BLEU-4 of a corpus (Papineni et al., ACL 2002), with the constants of pycocoevalcap 1.2.

BLEU-k = B * (p_1 * ... * p_k)^(1/k) with p_n = (matches of n-grams + 1e-15) / (n-grams + 1e-9), matches
clipped to the most that any one reference holds, and B = exp(1 - reference length / length) if the answers
are the shorter. The reference length is the closest one, the shorter where two are equally close.
All is a function of ten sums, so that an interval needs the items' sums only, never their texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

ORDER = 4
COLUMNS = 2 + 2 * ORDER
"""Length, reference length, n-grams for n = 1..4, matched n-grams for n = 1..4."""

_SMALL, _TINY = 1e-9, 1e-15

Ngram = tuple[str, ...]


def statistics(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the ten sums of one tokenised answer and its references, at least one; shape (10,)."""
    length = len(candidate)
    reference_length = min((abs(len(reference) - length), len(reference)) for reference in references)[1]
    most: Counter[Ngram] = Counter()
    for reference in references:
        most |= Counter(ngrams(reference))
    matched = [0] * ORDER
    for ngram, count in Counter(ngrams(candidate)).items():
        matched[len(ngram) - 1] += min(count, most[ngram])
    lengths = [max(0, length - n) for n in range(ORDER)]
    return np.array([length, reference_length, *lengths, *matched], dtype=np.float64)


def bleu(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return BLEU-1..4, shape (..., 4), of the sums of one item or of many items, shape (..., 10)."""
    lengths, reference_lengths = sums[..., 0], sums[..., 1]
    ngrams, matched = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    precisions = (matched + _TINY) / (ngrams + _SMALL)
    scores = np.cumprod(precisions, axis=-1) ** (1 / np.arange(1, ORDER + 1))
    ratio = (lengths + _TINY) / (reference_lengths + _SMALL)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    return np.asarray(scores * brevity[..., None])


def ngrams(tokens: Sequence[str]) -> Iterator[Ngram]:
    """Yield every n-gram of `tokens`, n = 1..4, as often as it occurs."""
    for n in range(1, ORDER + 1):
        for start in range(len(tokens) - n + 1):
            yield tuple(tokens[start : start + n])
