"""Evaluation of a run: its answers, the blind ones, the floors and the published rows, as scores.

Reads recipe.toml, samples/, predictions/ and verdicts/ of the run and the training split of the data, and
writes scores.jsonl as a whole: a stopped evaluation leaves the former file. Of a run folder without recipe,
made from somebody else's answers, there are no floors and no published rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pefomed import jsonl
from pefomed import recipe as recipes
from pefomed.data import load_samples
from pefomed.errors import RunError, nearest
from pefomed.evaluate import predicted
from pefomed.evaluate.captions import meteor
from pefomed.evaluate.captions.scores import Corpus, all_meteor_sums, caption_scores, corpora
from pefomed.evaluate.groups import groups_of
from pefomed.evaluate.published import published_scores
from pefomed.evaluate.run_floors import System, answer_floors, constant_floor
from pefomed.evaluate.score import Questions, numbered, score_answers, score_overlap, score_share
from pefomed.evaluate.verdict_scores import verdict_scores
from pefomed.evaluate.verdicts import Rater, read_raters
from pefomed.progress import track
from pefomed.recipe import Evaluate, Recipe
from pefomed.schema import Prediction, Record, Sample, Score
from pefomed.storage import write

TEMPLATED = frozenset({"phantom"})
"""Loaders whose reports and captions follow a template, so that exact match says something of them."""

TEXTS = ("caption", "report")
"""Tasks whose answers are free text."""


class Event(Record):
    """A line of the run's log that says what was left out, and why."""

    kind: Literal["event"] = "event"
    stage: str = "evaluate"
    text: str


@dataclass(frozen=True)
class _Run:
    """What all data sets of a run share."""

    folder: Path
    recipe: Recipe | None
    evaluate: Evaluate
    data_folder: Path | None
    raters: list[Rater]
    events: list[str]


def evaluate_run(run: Path, data_folder: Path | None = None) -> list[Score]:
    """Score the predictions of `run`, write `scores.jsonl` and return the scores.

    What has no score (boxes, METEOR without Java, floors without training data) is said in `log.jsonl`.

    Args:
        data_folder: what the recipe's data roots are relative to. The data is read for the floors,
            and compared with what was answered; with `floors = false`, or in a run without recipe,
            it need not be there.

    Raises:
        RunError: a step is missing, predictions and samples do not fit each other, or the data
            changed since it was answered; the ids are named.
        DataError: the training split cannot be read, or a record or verdict is not valid.
        StorageError: the scores cannot be written.
    """
    if not (run / "recipe.toml").exists() and not (run / predicted.MARKER).exists():
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    settings = recipes.load(run / "recipe.toml") if (run / "recipe.toml").exists() else None
    splits = predicted.answered_splits(run)
    if not splits:
        raise RunError(
            f"the recipe of {run} predicts nothing", remedy="name a data set and its split in [predict.data]"
        )
    answered = {split: predicted.read_samples(predicted.samples_path(run, *split)) for split in splits}
    everything = [sample for samples in answered.values() for sample in samples]
    evaluate = settings.evaluate if settings else Evaluate(floors=False)
    _check_keys(evaluate.groups, everything)
    events: list[str] = []
    raters = read_raters(run, everything, events)
    shared = _Run(run, settings, evaluate, data_folder, raters, events)
    scores: list[Score] = []
    for (dataset, split), samples in answered.items():
        scores += _dataset_scores(shared, dataset, split, samples)
    remedy = "free space or make the folder writable; the former scores are as they were"
    write(run / "scores.jsonl", jsonl.lines(scores), remedy)
    _log(run / "log.jsonl", events)
    return scores


def _check_keys(keys: Sequence[str], samples: Sequence[Sample]) -> None:
    known = {key for sample in samples for key in sample.meta}
    for key in keys:
        if key not in known:
            raise RunError(
                f"`evaluate.groups` names {key!r}, which no answered sample has", remedy=nearest(key, known)
            )


def _dataset_scores(run: _Run, dataset: str, split: str, samples: list[Sample]) -> list[Score]:
    table = run.recipe.data[dataset] if run.recipe else None
    if run.evaluate.floors and table:
        path = predicted.samples_path(run.folder, dataset, split)
        predicted.check_unchanged(samples, load_samples(table, split, run.data_folder), path)
    answered = _answered(run, dataset, split, samples)
    everything = _questions(samples, run.evaluate, dataset, split)
    scores: list[Score] = []
    for system, predictions in answered:
        scores += _rates(replace(everything, groups={}), predictions, system.name)
    templated = table is not None and table.loader in TEMPLATED
    exact = [p for p, s in enumerate(samples) if s.task == "vqa" or (s.task in TEXTS and templated)]
    texts = [p for p, s in enumerate(samples) if s.task in TEXTS]
    boxes = sorted({sample.task for sample in samples} - {"vqa", *TEXTS})
    unmatched = len(samples) - len(exact)
    if unmatched:
        tasks = sorted({sample.task for sample in samples} - {samples[place].task for place in exact})
        run.events.append(
            f"{dataset}, {split}: {unmatched} of {len(samples)} samples ({', '.join(tasks)})"
            " have no exact match: it says nothing of free text and boxes"
        )
    if boxes:
        run.events.append(f"{dataset}, {split}: no metric for {', '.join(boxes)} yet")
    systems = [system for system, _ in answered]
    if exact:
        scores += _answer_scores(run, dataset, split, samples, exact, systems)
    if texts:
        scores += _text_scores(run, dataset, split, samples, texts, systems)
    answers = systems[0].answers
    scores += verdict_scores(everything, samples, answers, run.raters)
    return scores + (published_scores(table.loader, split, dataset, table.options) if table else [])


def _answered(
    run: _Run, dataset: str, split: str, samples: list[Sample]
) -> list[tuple[System, list[Prediction]]]:
    found = []
    for name, blind in (("model", False), ("blind", True)):
        path = predicted.predictions_path(run.folder, dataset, split, blind=blind)
        if blind and not (run.recipe.predict.blind if run.recipe else path.exists()):
            continue
        predictions = predicted.read_predictions(path, samples, blind=blind)
        how = " / ".join(dict.fromkeys(prediction.generation for prediction in predictions))
        found.append((System(name, [prediction.text for prediction in predictions], how), predictions))
    return found


def _rates(questions: Questions, predictions: list[Prediction], system: str) -> list[Score]:
    empty = [not prediction.text.strip() for prediction in predictions]
    cut = [prediction.finish == "length" for prediction in predictions]
    return [
        score_share(questions, empty, "empty_rate", system, "share of answers without text"),
        score_share(questions, cut, "cut_rate", system, "share of answers cut at the limit of tokens"),
    ]


def _questions(samples: list[Sample], evaluate: Evaluate, dataset: str, split: str) -> Questions:
    several_tasks = len({sample.task for sample in samples}) > 1
    metas = [{"task": sample.task, **sample.meta} if several_tasks else sample.meta for sample in samples]
    # Open and closed, and the tasks where there are several, are told apart whatever else is asked for.
    asked = evaluate.groups
    keys = tuple(dict.fromkeys(("task", "answer_type", *asked))) if asked else ()
    return Questions(
        dataset=dataset,
        split=split,
        references=[sample.reference for sample in samples],
        clusters=numbered([sample.images for sample in samples]),
        groups=groups_of(metas, keys),
        draws=evaluate.bootstrap,
        seed=evaluate.seed,
    )


def _answer_scores(
    run: _Run, dataset: str, split: str, samples: list[Sample], places: list[int], systems: list[System]
) -> list[Score]:
    """Return the exact matches of questions and templated texts, and of questions the overlap of words."""
    chosen = [samples[place] for place in places]
    questions = _questions(chosen, run.evaluate, dataset, split)
    systems = [_only(system, places) for system in systems]
    if run.recipe and run.evaluate.floors:
        systems += answer_floors(chosen, run.recipe, dataset, run.data_folder, run.events)
    scores: list[Score] = []
    for name, texts, how in track(systems, f"scoring {dataset}", unit="systems"):
        scores += score_answers(questions, texts, name, how)
    asked = [place for place, sample in enumerate(chosen) if sample.task == "vqa"]
    if not asked:
        return scores
    only_vqa = [chosen[place] for place in asked]
    questions = _questions(only_vqa, run.evaluate, dataset, split)
    # As the data set says; a data set that does not say has no closed questions.
    closed = np.array([sample.meta.get("answer_type", "").upper() == "CLOSED" for sample in only_vqa])
    for system in track(systems, f"scoring {dataset}, overlap of words", unit="systems"):
        name, texts, how = _only(system, asked)
        scores += score_overlap(questions, texts, name, how, closed)
    return scores


def _text_scores(
    run: _Run, dataset: str, split: str, samples: list[Sample], places: list[int], systems: list[System]
) -> list[Score]:
    """Return the report metrics of captions and reports, in both presets."""
    chosen = [samples[place] for place in places]
    questions = _questions(chosen, run.evaluate, dataset, split)
    systems = [_only(system, places) for system in systems]
    if run.recipe and run.evaluate.floors:
        systems += constant_floor(chosen, run.recipe, dataset, run.data_folder, run.events)
    made = corpora(questions.references, [sample.task for sample in chosen])
    sums = _meteor_sums(run, f"{dataset}, {split}", made, systems)
    scores: list[Score] = []
    for corpus, by_system in zip(made, sums, strict=True):
        for (name, texts, how), meteor_sums in zip(systems, by_system, strict=True):
            scores += caption_scores(questions, corpus, texts, name, how, meteor_sums)
    return scores


def _meteor_sums(
    run: _Run, what: str, made: list[Corpus], systems: list[System]
) -> Sequence[Sequence[NDArray[np.float64] | None]]:
    """Return METEOR's sums by preset and system; None for each, and an event, where there is no METEOR."""
    program = meteor.find()
    why = program if isinstance(program, str) else ""
    if not isinstance(program, str):
        try:
            return all_meteor_sums(made, [system.answers for system in systems], program)
        except meteor.MeteorFailed as failure:
            why = str(failure)
    run.events.append(f"{what}: {why}")
    return [[None] * len(systems)] * len(made)


def _only(system: System, places: Sequence[int]) -> System:
    return system._replace(answers=[system.answers[place] for place in places])


def _log(path: Path, events: list[str]) -> None:
    """Append the events that the log does not hold yet: evaluating twice says nothing twice."""
    known = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    lines = [Event(text=text) for text in dict.fromkeys(events)]
    jsonl.append(path, [event for event in lines if event.model_dump_json() not in known])
