"""The constant-report floor: one training report, the same for every image.

Of the training reports the one is chosen that, given to every item of another split (validation, or the
training split itself where there is none), has the highest CIDEr in the preset `r2gen`. Candidates are
the different reports after cleaning: all of up to 5,000, else the 500 most frequent and 4,500 spaced
evenly over the others. They are scored on 200 reports spaced evenly over the split; the best 200 then on all
of it, or 5,000 spaced evenly where it has more. Document frequencies are those of the reports scored on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.captions import cider
from pefomed.metrics.captions.bleu import ORDER, Ngram
from pefomed.metrics.captions.presets import r2gen
from pefomed.progress import track

CANDIDATES, FREQUENT = 5000, 500
FIRST_ITEMS, SECOND_CANDIDATES, ITEMS = 200, 200, 5000

T = TypeVar("T")


class ConstantReport(NamedTuple):
    """The chosen report and how well it did where it was chosen."""

    text: str
    cider: float
    candidates: int


def constant_report(training: Sequence[str], chosen_on: Sequence[str]) -> ConstantReport:
    """Return the best of at least one training report for at least one report of `chosen_on`.

    Of equals the earlier is taken; with a single report to choose on, the most frequent one.
    """
    candidates = _candidates(training)
    targets = [r2gen(text) for text in _spaced(chosen_on, ITEMS)]
    weigh = cider.weights([target] for target in targets)
    if len(candidates) > SECOND_CANDIDATES and len(targets) > FIRST_ITEMS:
        first = _Targets(_spaced(targets, FIRST_ITEMS), weigh)
        scores = _scored(candidates, first, weigh, "constant report, first choice")
        best = np.sort(np.argsort(-scores, kind="stable")[:SECOND_CANDIDATES])
        kept = [candidates[place] for place in best.tolist()]
    else:
        kept = candidates
    scores = _scored(kept, _Targets(targets, weigh), weigh, "constant report")
    place = int(np.argmax(np.round(scores, 9)))
    return ConstantReport(kept[place][0], float(scores[place]), len(candidates))


def _candidates(training: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the candidates as first written and cleaned, the most frequent first."""
    written: dict[str, str] = {}
    cleaned: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for text in training:
        tokens = r2gen(text)
        key = " ".join(tokens)
        written.setdefault(key, text)
        cleaned.setdefault(key, tokens)
        counts[key] += 1
    keys = [key for key, _ in counts.most_common()]
    if len(keys) > CANDIDATES:
        keys = keys[:FREQUENT] + _spaced(keys[FREQUENT:], CANDIDATES - FREQUENT)
    return [(written[key], cleaned[key]) for key in keys]


def _spaced(items: Sequence[T], most: int) -> list[T]:
    if len(items) <= most:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, most).round().astype(int).tolist()]


def _scored(
    candidates: Sequence[tuple[str, list[str]]], targets: _Targets, weigh: cider.TermWeights, what: str
) -> NDArray[np.float64]:
    scores = [targets.mean_cider(cider.vector(tokens, weigh)) for _, tokens in track(candidates, what)]
    return np.array(scores, dtype=np.float64)


class _Targets:
    """Reports to be compared with, by n-gram, so that a candidate meets only those it has n-grams of."""

    def __init__(self, targets: Sequence[Sequence[str]], weigh: cider.TermWeights):
        vectors = [cider.vector(tokens, weigh) for tokens in targets]
        found: dict[Ngram, tuple[list[int], list[float]]] = {}
        for place, vector in enumerate(vectors):
            for ngram, value in vector.values.items():
                places, values = found.setdefault(ngram, ([], []))
                places.append(place)
                values.append(value)
        self._found = {
            ngram: (np.array(places, dtype=np.int64), np.array(values, dtype=np.float64))
            for ngram, (places, values) in found.items()
        }
        self._norms = np.array([vector.norms for vector in vectors], dtype=np.float64)  # (N, 4)
        self._bigrams = np.array([vector.bigrams for vector in vectors], dtype=np.float64)  # (N,)

    def mean_cider(self, answer: cider.TermVector) -> float:
        """Return the mean CIDEr of one answer given to all targets."""
        sums = np.zeros((len(self._norms), ORDER))
        for ngram, value in answer.values.items():
            if ngram in self._found:
                places, values = self._found[ngram]
                sums[places, len(ngram) - 1] += np.minimum(value, values) * values
        norms = self._norms * np.array(answer.norms)
        sums = np.divide(sums, norms, out=sums, where=norms > 0)
        penalty = np.exp(-((answer.bigrams - self._bigrams) ** 2) / (2 * cider.SIGMA**2))
        return float((10 * sums.mean(1) * penalty).mean())
