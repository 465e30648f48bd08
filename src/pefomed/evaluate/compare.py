"""Two runs on the same samples: is one better, by how much, and which answers changed.

Right or wrong: McNemar's exact test. Of the items that one run has right and the other wrong, b and c of
them, p = 2 * P(X <= min(b, c)) with X ~ Binomial(b + c, 1/2), at most 1 (McNemar, Psychometrika 1947;
Agresti, Categorical Data Analysis, section 10.1). It takes items as independent.

Any figure: the paired bootstrap by image. Images are drawn with replacement, both runs' items of a drawn
image count, and the difference is taken in every draw: its interval, and p as twice the smaller share
of draws on either side of 0, (1 + draws) / (1 + all), at most 1 (Davison and Hinkley, 1997, section 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import RunError
from pefomed.evaluate import predicted, verdicts
from pefomed.evaluate.captions.scores import METRICS as TEXT_METRICS
from pefomed.evaluate.captions.scores import Corpus, corpora, figures_of, item_sums, tokens_of
from pefomed.evaluate.exact_match import METRICS
from pefomed.evaluate.interval import DRAWS, LEVEL, cluster_sums, draw_totals
from pefomed.evaluate.overlap import OVERLAPS
from pefomed.evaluate.score import numbered, per_pair
from pefomed.schema import Sample


@dataclass(frozen=True)
class Difference:
    """What separates run b from run a in one metric: positive means that b is higher."""

    metric: str
    dataset: str
    split: str
    n: int
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None where all images differ by the same."""
    p: float
    test: str
    """Which test `p` is of."""
    better: tuple[str, ...] = ()
    """Sample ids whose value is higher in b; empty for figures that are no mean of items."""
    worse: tuple[str, ...] = ()


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the two-sided exact p of two lists of right and wrong, both of shape (N,)."""
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    differing = only_a + only_b
    if differing > _MOST_EXACT:
        from scipy.stats import binom

        return min(1.0, 2 * float(binom.cdf(min(only_a, only_b), differing, 0.5)))
    below = sum(comb(differing, k) for k in range(min(only_a, only_b) + 1))
    return float(min(1.0, 2 * below / 2**differing))


def paired_bootstrap(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    clusters: NDArray[np.int64],
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float | None, float | None, float]:
    """Return the difference b - a, the ends of its 95 % interval and p.

    Args:
        a: one value per item, shape (N,), or what is added up, shape (N, K).
        b: the same of the other run.
        clusters: the number of each item's image, shape (N,).
        figure: the figure of totals of shape (D, K), shape (D,); by default the mean of the values.
        draws: bootstrap draws; with 0 there is no interval, and p is 1.
    """
    if figure is None:
        ones = np.ones(len(a))
        a, b, figure = np.stack((a, ones), 1), np.stack((b, ones), 1), _mean
    width = a.shape[1]
    both = np.concatenate((a, b), axis=1)
    total = both.sum(0, keepdims=True)
    difference = float((figure(total[:, width:]) - figure(total[:, :width]))[0])
    _, codes = np.unique(clusters, return_inverse=True)
    if draws == 0 or codes.max() == 0:
        return difference, None, None, 1.0
    totals = draw_totals(cluster_sums(both, codes), draws, seed)
    drawn = figure(totals[:, width:]) - figure(totals[:, :width])
    if np.ptp(drawn) == 0:
        return difference, None, None, 1.0 if difference == 0 else 2 / (draws + 1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    side = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return difference, float(low), float(high), min(1.0, 2 * (1 + side) / (1 + draws))


def compare_runs(run_a: Path, run_b: Path, *, draws: int = DRAWS, seed: int = 0) -> list[Difference]:
    """Compare two runs' answers, data set by data set: exact match, overlap, report metrics, verdicts.

    Verdicts are compared rater by rater where the same rater judged both runs, on what it labelled in
    both (the majority of its runs for questions, their mean for reports).

    Raises:
        RunError: the runs answered no data set in common, or other samples of it; the ids are named.
        DataError: a record is not valid.
    """
    names, others = predicted.answered_splits(run_a), predicted.answered_splits(run_b)
    common = [name for name in names if name in others]
    if not common:
        raise RunError(
            f"{run_a} and {run_b} answered no data set in common",
            found=f"{_listed(names)} and {_listed(others)}",
            remedy="compare two runs that predicted the same split of the same data set",
        )
    found: list[Difference] = []
    for dataset, split in common:
        samples, others_samples = (
            predicted.read_samples(predicted.samples_path(run, dataset, split)) for run in (run_a, run_b)
        )
        predicted.check_same(samples, others_samples, run_a, run_b)
        answers = [
            [prediction.text for prediction in predicted.read_predictions(path, samples)]
            for path in (predicted.predictions_path(run, dataset, split) for run in (run_a, run_b))
        ]
        pair = _Pair(dataset, split, samples, answers[0], answers[1], draws, seed)
        found += [*_answers_compared(pair), *_texts_compared(pair), *_verdicts_compared(pair, run_a, run_b)]
    return found


_MOST_EXACT = 1000  # above it the binomial numbers get long, and scipy's are as good


@dataclass(frozen=True)
class _Pair:
    dataset: str
    split: str
    samples: list[Sample]
    a: list[str]
    b: list[str]
    draws: int
    seed: int

    def clusters(self, places: Sequence[int]) -> NDArray[np.int64]:
        return numbered([self.samples[place].images for place in places])


def _listed(names: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{dataset} {split}" for dataset, split in names) or "none"


def _mean(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(totals[:, 0] / totals[:, 1])


def _answers_compared(pair: _Pair) -> list[Difference]:
    places = [place for place, sample in enumerate(pair.samples) if sample.task == "vqa"]
    if not places:
        return []
    references = [pair.samples[place].reference for place in places]
    a, b = [pair.a[place] for place in places], [pair.b[place] for place in places]
    found = [
        _item_difference(
            pair, name, places, per_pair(metric, references, a), per_pair(metric, references, b), True
        )
        for name, metric in METRICS.items()
    ]
    found += [
        _item_difference(
            pair, name, places, per_pair(overlap, references, a), per_pair(overlap, references, b)
        )
        for name, overlap in OVERLAPS.items()
    ]
    return found


def _texts_compared(pair: _Pair) -> list[Difference]:
    places = [place for place, sample in enumerate(pair.samples) if sample.task in ("caption", "report")]
    if not places:
        return []
    chosen = [pair.samples[place] for place in places]
    found = []
    for corpus in corpora([sample.reference for sample in chosen], [sample.task for sample in chosen]):
        sums = [_text_sums(corpus, [texts[place] for place in places]) for texts in (pair.a, pair.b)]
        for column, name in enumerate(TEXT_METRICS):
            found.append(_text_difference(pair, f"{name}{corpus.preset.suffix}", places, sums, column))
    return found


def _text_sums(corpus: Corpus, answers: Sequence[str]) -> NDArray[np.float64]:
    return item_sums(corpus, tokens_of(corpus.preset, answers))


def _verdicts_compared(pair: _Pair, run_a: Path, run_b: Path) -> list[Difference]:
    known = [predicted.all_samples(run) for run in (run_a, run_b)]
    raters_a, raters_b = (
        {rater.name: rater for rater in verdicts.read_raters(run, samples)}
        for run, samples in zip((run_a, run_b), known, strict=True)
    )
    found = []
    for name in raters_a.keys() & raters_b.keys():
        for metric, tasks, binary in (("accuracy", ("vqa",), True), ("wasm", ("caption", "report"), False)):
            a, b = (
                verdicts.labels_by_sample(raters[name], majority=binary) for raters in (raters_a, raters_b)
            )
            places = [
                place
                for place, sample in enumerate(pair.samples)
                if sample.task in tasks and sample.id in a and sample.id in b
            ]
            if places:
                values = [np.array([side[pair.samples[place].id] for place in places]) for side in (a, b)]
                # An undecided judge (as many 1 as 0) is half right, which McNemar's test does not know.
                decided = binary and all(np.isin(side, (0.0, 1.0)).all() for side in values)
                found.append(
                    _item_difference(pair, f"{metric}:{name}", places, values[0], values[1], decided)
                )
    return sorted(found, key=lambda difference: difference.metric)


def _item_difference(
    pair: _Pair,
    metric: str,
    places: Sequence[int],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    binary: bool = False,
) -> Difference:
    difference, low, high, p = paired_bootstrap(a, b, pair.clusters(places), draws=pair.draws, seed=pair.seed)
    ids = [pair.samples[place].id for place in places]
    return Difference(
        metric=metric,
        dataset=pair.dataset,
        split=pair.split,
        n=len(places),
        a=float(a.mean()),
        b=float(b.mean()),
        difference=difference,
        low=low,
        high=high,
        p=mcnemar(a == 1.0, b == 1.0) if binary else p,
        test="McNemar, exact" if binary else _bootstrap_name(pair),
        better=tuple(sample_id for sample_id, up in zip(ids, b > a, strict=True) if up),
        worse=tuple(sample_id for sample_id, down in zip(ids, b < a, strict=True) if down),
    )


def _text_difference(
    pair: _Pair, metric: str, places: Sequence[int], sums: Sequence[NDArray[np.float64]], column: int
) -> Difference:
    def figure(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return figures_of(totals)[:, column]

    a, b = sums
    difference, low, high, p = paired_bootstrap(
        a, b, pair.clusters(places), figure, draws=pair.draws, seed=pair.seed
    )
    values = [float(figure(side.sum(0, keepdims=True))[0]) for side in sums]
    return Difference(
        metric, pair.dataset, pair.split, len(places), values[0], values[1], difference, low, high, p,
        _bootstrap_name(pair),
    )  # fmt: skip


def _bootstrap_name(pair: _Pair) -> str:
    return f"paired bootstrap by image, {pair.draws} draws, seed {pair.seed}"
