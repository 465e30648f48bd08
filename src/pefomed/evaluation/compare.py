"""Two runs on the same samples: is one better, by how much, and which answers changed (tests: `paired`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.writing import writing_of
from pefomed.boxes.marks import unmarked, unmarked_answers
from pefomed.errors import DataError, ImageError, RunError
from pefomed.evaluation import verdicts
from pefomed.evaluation.groups import ANY_BOX, OVERALL
from pefomed.evaluation.item_scores import ItemKey, ItemTable, item_table
from pefomed.evaluation.masks import mask_values
from pefomed.evaluation.own_metrics import loaded_metrics, own_metrics
from pefomed.evaluation.predictions import (
    all_samples,
    answered_splits,
    check_same,
    read_predictions,
    read_samples,
)
from pefomed.evaluation.score import numbered
from pefomed.evaluation.settings import settings_of
from pefomed.evaluation.staleness import check_same_shown
from pefomed.files.storage import usable_paths
from pefomed.metrics.box_values import BOX_METRICS
from pefomed.metrics.captions.corpus import FIGURES, TOPS, corpora, figures_of, text_sums
from pefomed.metrics.lookup import metric_of, named, with_plugins
from pefomed.metrics.mask_dice import METRIC as MASK_DICE
from pefomed.metrics.phrase_items import PhraseItem, answers_of, items_of, phrase_keys, readings_of
from pefomed.metrics.plugin_values import plugin_values
from pefomed.metrics.statistics.paired import Paired, mcnemar, paired_figures, paired_means
from pefomed.progress import note
from pefomed.runs import RunFolder
from pefomed.schema import Sample
from pefomed.tasks import BINARY, LEVELS, MARKED, TASKS, TEXTS, WORDS


@dataclass(frozen=True)
class PairedDifference:
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
    """Ends of the 95 % interval, or None; `interval` says why."""
    interval: str
    """How the interval was made, or `none: ` and the reason; empty without draws."""
    p: float | None
    """Two-sided, by image; None without draws."""
    test: str
    """Which test `p` is of."""
    mcnemar: float | None = None
    """McNemar's exact p of right and wrong, which takes items as independent; None for other values."""
    better: tuple[str, ...] = ()
    """Sample ids whose value is higher in b; empty for figures that are no mean of items."""
    worse: tuple[str, ...] = ()
    group: str = OVERALL
    """Which items: all, or `boxes=any`, the phrases with boxes where there are others."""


@usable_paths()
def compare_runs(
    run_a: Path, run_b: Path, *, draws: int | None = None, seed: int | None = None
) -> list[PairedDifference]:
    """Compare two runs' answers, data set by data set: exact match, overlap, report metrics, boxes, verdicts.

    Verdicts are compared rater by rater where the same rater judged both runs, on what it labelled in
    both (the majority of its runs for questions, their mean for reports).

    Args:
        draws: sign flips drawn where they cannot be counted, and images left out for an interval at most;
            0 for neither p nor interval. By default `bootstrap` of the recipes, the smaller of the two.
        seed: of both; by default that of the first recipe.

    Raises:
        RunError: the runs answered no data set in common, or other samples or images of it; these
            are named.
        DataError: a record is not valid.
    """
    names, others = answered_splits(run_a), answered_splits(run_b)
    common = [name for name in names if name in others]
    if not common:
        raise RunError(
            f"{run_a} and {run_b} answered no data set in common",
            found=f"{_listed(names)} and {_listed(others)}",
            remedy="compare two runs that predicted the same split of the same data set",
        )
    settings = settings_of(run_a), settings_of(run_b)
    draws = min(one.bootstrap for one in settings) if draws is None else draws
    seed = settings[0].seed if seed is None else seed
    found: list[PairedDifference] = []
    for split in common:
        samples, others_samples = (read_samples(run, split) for run in (run_a, run_b))
        check_same(samples, others_samples, run_a, run_b)
        # A run that was answered before outlines were kept is held against those of the other.
        theirs = {sample.id: sample.masks for sample in others_samples}
        samples = [
            sample if sample.masks else sample.model_copy(update={"masks": theirs[sample.id]})
            for sample in samples
        ]
        predictions = [read_predictions(run, split, samples) for run in (run_a, run_b)]
        check_same_shown(predictions[0], predictions[1], run_a, run_b)
        answers = [[prediction.text for prediction in side] for side in predictions]
        values = [
            item_table(
                run,
                split,
                samples,
                {"model": {one.sample_id: one.text for one in side}},
                "words",
                "boxes",
            )
            for run, side in zip((run_a, run_b), predictions, strict=True)
        ]
        pair = _Pair(*split, samples, answers[0], answers[1], values[0], values[1], draws, seed)
        found += [*_answers_compared(pair), *_texts_compared(pair), *_boxes_compared(pair, run_a, run_b)]
        found += _plugins_compared(pair, run_a, run_b)
        found += _verdicts_compared(pair, run_a, run_b)
    return found


@dataclass(frozen=True)
class _Pair:
    dataset: str
    split: str
    samples: list[Sample]
    a: list[str]
    b: list[str]
    values_a: ItemTable
    values_b: ItemTable
    draws: int
    seed: int

    def clusters(self, places: Sequence[int]) -> NDArray[np.int64]:
        return numbered([self.samples[place].images for place in places])


def _listed(names: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{dataset} {split}" for dataset, split in names) or "none"


def _answers_compared(pair: _Pair) -> list[PairedDifference]:
    places = [place for place, sample in enumerate(pair.samples) if sample.task in WORDS]
    if not places:
        return []
    keys = [(pair.samples[place].id, None) for place in places]
    return [one for name in named("exact", "words") for one in _paired_items(pair, name, places, keys)]


def _texts_compared(pair: _Pair) -> list[PairedDifference]:
    places = [place for place, sample in enumerate(pair.samples) if sample.task in (*TEXTS, *MARKED)]
    if not places:
        return []
    chosen = [unmarked(pair.samples[place]) for place in places]
    found = []
    for corpus in corpora([sample.references for sample in chosen], [sample.task for sample in chosen]):
        sums = [
            text_sums(corpus, unmarked_answers([texts[place] for place in places], chosen))
            for texts in (pair.a, pair.b)
        ]
        a, b = (figures_of(side.sum(0, keepdims=True))[0].tolist() for side in sums)
        paired = paired_figures(
            sums[0], sums[1], pair.clusters(places), figures_of, tops=TOPS, draws=pair.draws, seed=pair.seed
        )
        found += [
            _difference(pair, f"{name}{corpus.preset.suffix}", len(places), *one)
            for name, one in zip(FIGURES, zip(a, b, paired, strict=True), strict=True)
        ]
    return found


def _boxes_compared(pair: _Pair, run_a: Path, run_b: Path) -> list[PairedDifference]:
    items = items_of(pair.samples)
    places, keys = [item.place for item in items], phrase_keys(items, pair.samples)
    found = []
    present = [at for at, item in enumerate(items) if item.boxes]
    present = present if len(present) < len(items) else []
    for name in BOX_METRICS:
        found += _paired_items(pair, name, places, keys)
        few = _paired_items(pair, name, [places[at] for at in present], [keys[at] for at in present])
        found += [replace(one, group=ANY_BOX) for one in few]
    return found + _masks_compared(pair, items, run_a, run_b)


def _masks_compared(
    pair: _Pair, items: Sequence[PhraseItem], run_a: Path, run_b: Path
) -> list[PairedDifference]:
    """Return the difference in Dice with the masks, of the phrases that have some."""
    masks = [pair.samples[item.place].masks for item in items]
    if not any(masks):
        return []
    keys = phrase_keys(items, pair.samples)
    a, b = (np.isnan(side.column(MASK_DICE, keys)) for side in (pair.values_a, pair.values_b))
    if not a.all() and (a == b).all():
        return _paired_items(pair, MASK_DICE, [item.place for item in items], keys)
    # One of the runs was answered before its masks were kept, or has not been evaluated.
    given = []
    for run, texts in ((run_a, pair.a), (run_b, pair.b)):
        writing = writing_of(RunFolder(run).read_recipe())
        readings = readings_of(texts, writing)
        answers = answers_of(items, pair.samples, readings, writing)
        given.append([answer.boxes for answer in answers])
    try:
        values = mask_values(masks, given)
    except (DataError, ImageError) as error:
        note(f"{pair.dataset} {pair.split}: no mask_dice: {error.problem}")
        return []
    known = np.flatnonzero(~np.isnan(values[0])).tolist()
    places = [items[at].place for at in known]
    return [_item_difference(pair, MASK_DICE, places, *values[:, known])] if places else []


def _plugins_compared(pair: _Pair, run_a: Path, run_b: Path) -> list[PairedDifference]:
    """Return the differences in metrics of the user's own that both runs were scored with, item by item."""
    common = {metric.name: metric for metric in own_metrics(run_b) if metric.per == "item"}
    found: list[PairedDifference] = []
    for metric in own_metrics(run_a):
        places = [
            place for place, sample in enumerate(pair.samples) if TASKS[sample.task].answer in metric.kinds
        ]
        if metric.name not in common or not places:
            continue
        with with_plugins([metric]):
            # Of one function; another one's values say nothing beside it.
            if common[metric.name].implementation == metric.implementation:
                keys = [(pair.samples[place].id, None) for place in places]
                if written := _paired_items(pair, metric.name, places, keys):
                    found += written
                    continue
            [loaded] = [each for each in loaded_metrics(run_a) if each.name == metric.name]
            chosen = [unmarked(pair.samples[place]) for place in places]
            values = [
                plugin_values(loaded, chosen, unmarked_answers([texts[place] for place in places], chosen))
                for texts in (pair.a, pair.b)
            ]
            found.append(_item_difference(pair, metric.name, places, *values))
    return found


def _verdicts_compared(pair: _Pair, run_a: Path, run_b: Path) -> list[PairedDifference]:
    known = [all_samples(run) for run in (run_a, run_b)]
    raters_a, raters_b = (
        {rater.name: rater for rater in verdicts.read_raters(run, samples)}
        for run, samples in zip((run_a, run_b), known, strict=True)
    )
    found = []
    for name in raters_a.keys() & raters_b.keys():
        for metric, tasks in (("accuracy", BINARY), ("wasm", LEVELS)):
            binary = metric_of(metric).binary
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
                found.append(_item_difference(pair, f"{metric}:{name}", places, *values, decided=decided))
    return sorted(found, key=lambda difference: difference.metric)


def _paired_items(
    pair: _Pair, metric: str, places: Sequence[int], keys: Sequence[ItemKey]
) -> list[PairedDifference]:
    """Return the difference of the items that have a value in both runs, nothing where there are none."""
    a, b = (side.column(metric, keys) for side in (pair.values_a, pair.values_b))
    there = np.flatnonzero(~np.isnan(a) & ~np.isnan(b)).tolist()
    if not there:
        return []
    return [_item_difference(pair, metric, [places[at] for at in there], a[there], b[there])]


def _item_difference(
    pair: _Pair,
    metric: str,
    places: Sequence[int],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    *,
    decided: bool = True,
) -> PairedDifference:
    about = metric_of(metric)
    paired = paired_means(
        a, b, pair.clusters(places), top=about.most - about.least, draws=pair.draws, seed=pair.seed
    )
    ids = [pair.samples[place].id for place in places]
    found = _difference(pair, metric, len(places), float(a.mean()), float(b.mean()), paired)
    return replace(
        found,
        mcnemar=mcnemar(a == 1.0, b == 1.0) if about.binary and decided else None,
        # Once each: a caption has an item for every phrase.
        better=tuple(dict.fromkeys(sample_id for sample_id, up in zip(ids, b > a, strict=True) if up)),
        worse=tuple(dict.fromkeys(sample_id for sample_id, down in zip(ids, b < a, strict=True) if down)),
    )


def _difference(pair: _Pair, metric: str, n: int, a: float, b: float, paired: Paired) -> PairedDifference:
    interval = paired.interval
    return PairedDifference(
        metric=metric,
        dataset=pair.dataset,
        split=pair.split,
        n=n,
        a=a,
        b=b,
        difference=paired.difference,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.how if interval else "",
        p=paired.p,
        test=paired.test,
    )
