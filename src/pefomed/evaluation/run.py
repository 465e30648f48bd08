"""Evaluation of a run: its answers, the blind ones, the floors and the published rows, as scores.

Reads recipe.toml, samples/, predictions/ and verdicts/ of the run and the training split of the data, and
writes scores.jsonl as a whole: a stopped evaluation leaves the former file. Beside it item_scores/ holds the
value of each answer, scores.card.json what the scores are of, training_images.json which samples' images were
trained on. Of a run folder without recipe, made from somebody else's answers, there are no floors and no
published rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pefomed import tasks
from pefomed.datasets import load_samples
from pefomed.errors import DataError, RunError, nearest
from pefomed.evaluation.answered_split import AnsweredSplit, EvaluatedRun, read_answered
from pefomed.evaluation.confidence import confidence_scores
from pefomed.evaluation.given_metric import declared_metrics
from pefomed.evaluation.given_scores import given_scores
from pefomed.evaluation.given_values import Given, given_before, joined, read_given
from pefomed.evaluation.headlines import is_rate
from pefomed.evaluation.item_records import answer_items, value_items
from pefomed.evaluation.item_scores import ItemTable
from pefomed.evaluation.masks import masks_now
from pefomed.evaluation.origin import write_scores
from pefomed.evaluation.own_metrics import write_own_metrics
from pefomed.evaluation.predictions import answered_splits, check_unchanged, outside_notes, read_samples
from pefomed.evaluation.probe_answers import read_probes
from pefomed.evaluation.protocol_records import ProtocolSplit, write_protocols
from pefomed.evaluation.published import published_scores
from pefomed.evaluation.run_answers import answer_scores
from pefomed.evaluation.run_boxes import box_scores
from pefomed.evaluation.run_probes import probe_scores
from pefomed.evaluation.run_texts import text_scores
from pefomed.evaluation.score import Questions, score_share
from pefomed.evaluation.seen_images import KEY, seen_images
from pefomed.evaluation.staleness import check_shown
from pefomed.evaluation.verdict_scores import verdict_scores
from pefomed.evaluation.verdicts import read_raters
from pefomed.files.storage import usable_paths
from pefomed.metrics.lookup import correctness
from pefomed.metrics.metric import Metric
from pefomed.metrics.plugins import load
from pefomed.metrics.word_values import word_values
from pefomed.metrics.writing import cleaned
from pefomed.progress import note
from pefomed.recipe import Evaluate
from pefomed.runs import RunFolder, Split
from pefomed.runs.lock import hold
from pefomed.runs.log import add_once
from pefomed.schema import Sample, Score

TEMPLATED = frozenset({"phantom"})
"""Loaders whose reports and captions follow a template, so that exact match says something of them."""

BOX_KEYS = ("boxes", "category")
"""Keys that items with boxes are grouped by, whether or not the data set says them."""


@usable_paths()
def evaluate_run(
    run: Path,
    data_folder: Path | None = None,
    metrics: Sequence[str] = (),
    *,
    protocols: bool = False,
    values: Path | None = None,
    declared: Sequence[str] = (),
) -> list[Score]:
    """Score the predictions of `run`, write `scores.jsonl` and return the scores.

    What has no score (METEOR without Java, a task without references) is said on the error stream and in
    `log.jsonl`.

    Args:
        data_folder: what the recipe's data roots are relative to. The data is read for the floors,
            and compared with what was answered; with `floors = false`, or in a run without recipe,
            it need not be there.
        metrics: of the user's own, each `package.module:function`, beside those that the recipe names.
        protocols: write `protocols.jsonl` too, whether or not the recipe says so.
        values: a table of values by sample that were computed elsewhere, see `given_values`. Those given
            before are kept.
        declared: what is said of their metrics, see `given_metric`.

    Raises:
        RecipeError: a metric of the user's own cannot be used.
        RunError: a step is missing, predictions, samples, images or verdicts do not fit each other, or the
            data changed since it was answered; the ids are named. Or another process trains, answers or
            scores.
        DataError: the training split cannot be read, or a record or verdict is not valid.
        StorageError: the scores cannot be written.
    """
    if not RunFolder(run).holds_run():
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    said = declared_metrics(declared)
    if said and values is None:
        raise DataError("--declare is for values of --scores", remedy="name their table: `--scores FILE`")
    with hold(run):
        return _evaluate(run, data_folder, metrics, protocols=protocols, values=values, declared=said)


def is_scored(scores: Sequence[Score]) -> bool:
    """Return whether anything says how good the run's own answers are, not only how they came out."""
    return any(score.system == "model" and not is_rate(score.metric) for score in scores)


def _evaluate(
    run: Path,
    data_folder: Path | None,
    metrics: Sequence[str],
    *,
    protocols: bool,
    values: Path | None,
    declared: Mapping[str, Metric],
) -> list[Score]:
    settings = RunFolder(run).read_recipe()
    splits = answered_splits(run)
    if not splits:
        raise RunError(
            f"the recipe of {run} predicts nothing", remedy="name a data set and its split in [predict.data]"
        )
    answered = {split: read_samples(run, split) for split in splits}
    everything = [sample for samples in answered.values() for sample in samples]
    evaluate = (
        settings.evaluate if settings else Evaluate(floors=RunFolder(run).outside_training_file.is_file())
    )
    _check_keys(evaluate.groups, everything)
    events: list[str] = [] if settings else outside_notes(run)
    raters = read_raters(run, everything, events)
    named = [*evaluate.metrics, *metrics]
    plugins = load(named)
    given = read_given(values, declared, answered) if values else Given()
    anew = [metric.name for metric in (*given.metrics, *plugins)]
    given = joined(given, given_before(run, answered, anew, events))
    _check_apart(given, plugins)
    shared = EvaluatedRun(run, settings, evaluate, data_folder, raters, events, plugins, given)
    if protocols or evaluate.protocols:
        shared = replace(shared, protocols=[])
    scores: list[Score] = []
    for split, samples in answered.items():
        scores += _dataset_scores(shared, split, samples)
    write_own_metrics(run, named, plugins, given.metrics)
    write_scores(run, scores, shared.seen, shared.items)
    write_protocols(run, _by_protocol(shared, answered))
    add_once(run, "evaluate", events)
    for event in dict.fromkeys(events):
        note(event)
    return scores


def _check_apart(given: Given, plugins: Sequence[Metric]) -> None:
    functions = {metric.name: metric.implementation for metric in plugins}
    for metric in given.metrics:
        if metric.name in functions:
            raise DataError(
                f"values are given of {metric.name!r}, which a metric of your own computes",
                found=functions[metric.name],
                remedy="give the values another name, or leave the metric out",
            )


def _by_protocol(run: EvaluatedRun, splits: Iterable[Split]) -> list[ProtocolSplit]:
    """Return what protocols make of the splits; those with nothing in words are said."""
    found = run.protocols
    if found is None:
        return []
    there = {(one.dataset, one.split) for one in found}
    for dataset, name in splits:
        if (dataset, name) not in there:
            run.events.append(f"{dataset}, {name}: no protocols, as nothing of it is answered in words")
    return found


def _check_keys(keys: Sequence[str], samples: Sequence[Sample]) -> None:
    known = {KEY, *(key for sample in samples for key in sample.meta)}
    if any(sample.task in tasks.WITH_BOXES for sample in samples):
        known |= set(BOX_KEYS)
    for key in keys:
        if key not in known:
            raise RunError(
                f"`evaluate.groups` names {key!r}, which no answered sample has", remedy=nearest(key, known)
            )


def _dataset_scores(run: EvaluatedRun, split: Split, samples: list[Sample]) -> list[Score]:
    files = RunFolder(run.folder)
    table = run.recipe.data[split.dataset] if run.recipe else None
    if run.evaluate.floors and table:
        data = load_samples(table, split.name, run.data_folder)
        check_unchanged(samples, data, files.samples_file(split))
        # The images may have moved since; floors look for them among the training images. So may masks.
        now = {sample.id: sample for sample in data}
        samples = [
            sample.model_copy(
                update={"images": now[sample.id].images, "masks": masks_now(sample, now[sample.id])}
            )
            for sample in samples
        ]
    answered = read_answered(run, split, samples)
    check_shown(samples, answered.predictions[0], files.predictions_file(split))
    run.seen[split.stem] = _tell_apart(answered)
    everything = answered.questions(samples)
    scores = _rates(answered, everything) + given_scores(answered)
    probes = read_probes(run.folder, split, samples, run.recipe)
    templated = table is not None and table.loader in TEMPLATED
    answered = _with_references(answered)
    samples = answered.samples
    if not samples:
        return scores
    everything = answered.questions(samples)
    exact = answered.places(*tasks.WORDS, *(tasks.TEXTS if templated else ()))
    if len(exact) < len(samples):
        other = sorted({sample.task for sample in samples} - {samples[place].task for place in exact})
        run.events.append(
            f"{answered.name}: {len(samples) - len(exact)} of {len(samples)} samples ({', '.join(other)})"
            " have no exact match: it says nothing of free text and boxes"
        )
    parts = (
        (answer_scores, exact),
        (text_scores, answered.places(*tasks.TEXTS, *tasks.MARKED)),
        (box_scores, answered.places(*tasks.WITH_BOXES)),
    )
    for part, places in parts:
        if places:
            scores += part(answered, places)
    scores += probe_scores(answered, probes)
    scores += confidence_scores(answered)
    _keep_labelled(answered, exact)
    if run.raters:
        values = ItemTable(run.items[split])
        right = values.column(correctness().name, [(sample.id, None) for sample in samples]) == 1.0
        scores += verdict_scores(everything, samples, right, run.raters)
    return scores + (
        published_scores(table.loader, split.name, split.dataset, table.options) if table else []
    )


def _keep_labelled(answered: AnsweredSplit, exact: Sequence[int]) -> None:
    """Keep the exact matches of texts that raters call right or wrong: there is no score of them."""
    places = sorted({*answered.places(*tasks.BINARY)} - {*exact})
    samples = [answered.samples[place] for place in places]
    for system in answered.systems if samples else ():
        texts = system.only(places).answers
        values = word_values([sample.references for sample in samples], texts, "exact")
        answered.keep(answer_items(samples, texts, system.name, values))


def _tell_apart(answered: AnsweredSplit) -> dict[str, str]:
    """Give each sample's meta whether its image was trained on, and return it by the sample's id."""
    if not answered.has_floors or answered.training is None:
        return {}
    found = seen_images(answered.training.samples, answered.samples)
    answered.samples[:] = [
        sample.model_copy(update={"meta": {**sample.meta, KEY: found[sample.id]}})
        if sample.id in found
        else sample
        for sample in answered.samples
    ]
    return found


def _with_references(answered: AnsweredSplit) -> AnsweredSplit:
    """Return the samples of the tasks that have references at all; the others are said."""
    has: set[str] = {
        sample.task for sample in answered.samples if any(text.strip() for text in sample.references)
    }
    has |= set(tasks.WITH_BOXES)  # their reference is boxes, or that there are none
    kept = [place for place, sample in enumerate(answered.samples) if sample.task in has]
    for task, count in Counter(s.task for s in answered.samples if s.task not in has).items():
        answered.run.events.append(
            f"{answered.name}: none of the {count:,} samples of the task {task!r} has a reference: not scored"
        )
    return answered if len(kept) == len(answered.samples) else answered.only(kept)


def _rates(answered: AnsweredSplit, everything: Questions) -> list[Score]:
    questions = replace(everything, groups={})
    scores = []
    for system, predictions in zip(answered.systems, answered.predictions, strict=True):
        empty = [not cleaned(prediction.text) for prediction in predictions]
        cut = [prediction.finish == "length" for prediction in predictions]
        values = {
            "empty_rate": np.array(empty, dtype=np.float64),
            "cut_rate": np.array(cut, dtype=np.float64),
        }
        answered.keep(value_items(answered.samples, system.name, values))
        scores += [
            score_share(questions, marks.tolist(), name, system.name) for name, marks in values.items()
        ]
    return scores
