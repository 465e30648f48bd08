"""Evaluation of a run: its answers, the blind ones, the floors and the published rows, as scores.

Reads recipe.toml, samples/ and predictions/ of the run and the training split of the data, and writes
scores.jsonl as a whole: a stopped evaluation leaves the former file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from pefomed import jsonl, recipe
from pefomed.data import load_samples
from pefomed.errors import RunError, nearest
from pefomed.evaluate import floors, predicted
from pefomed.evaluate.groups import groups_of
from pefomed.evaluate.published import published_scores
from pefomed.evaluate.score import Questions, numbered, score_answers, score_share
from pefomed.progress import track
from pefomed.schema import Prediction, Record, Sample, Score
from pefomed.storage import write

TEMPLATED = frozenset({"phantom"})
"""Loaders whose reports and captions follow a template, so that exact match says something of them."""


class Event(Record):
    """A line of the run's log that says what was left out, and why."""

    kind: Literal["event"] = "event"
    stage: str = "evaluate"
    text: str


class _System(NamedTuple):
    """Whose answers are scored: its name, its answers in the questions' order, how they came about."""

    name: str
    answers: list[str]
    how: str


def evaluate_run(run: Path, data_folder: Path | None = None) -> list[Score]:
    """Score the predictions of `run`, write `scores.jsonl` and return the scores.

    What has no score (free text, until there is a metric for it; floors without training data) is
    said in `log.jsonl`.

    Args:
        data_folder: what the recipe's data roots are relative to. The data is read for the floors,
            and compared with what was answered; with `floors = false` it need not be there.

    Raises:
        RunError: a step is missing, predictions and samples do not fit each other, or the data
            changed since it was answered; the ids are named.
        DataError: the training split cannot be read, or a record is not valid.
        StorageError: the scores cannot be written.
    """
    if not (run / "recipe.toml").exists():
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    settings = recipe.load(run / "recipe.toml")
    if not settings.predict.data:
        raise RunError(
            f"the recipe of {run} predicts nothing", remedy="name a data set and its split in [predict.data]"
        )
    answered = {
        (dataset, split): predicted.read_samples(predicted.samples_path(run, dataset, split))
        for dataset, split in settings.predict.data.items()
    }
    _check_keys(settings.evaluate.groups, [sample for samples in answered.values() for sample in samples])
    scores: list[Score] = []
    events: list[str] = []
    for (dataset, split), samples in answered.items():
        scores += _dataset_scores(run, settings, dataset, split, samples, data_folder, events)
    lines = "".join(score.model_dump_json() + "\n" for score in scores)
    remedy = "free space or make the folder writable; the former scores are as they were"
    write(run / "scores.jsonl", lines, remedy)
    _log(run / "log.jsonl", events)
    return scores


def _check_keys(keys: Sequence[str], samples: Sequence[Sample]) -> None:
    known = {key for sample in samples for key in sample.meta}
    for key in keys:
        if key not in known:
            raise RunError(
                f"`evaluate.groups` names {key!r}, which no answered sample has", remedy=nearest(key, known)
            )


def _dataset_scores(
    run: Path,
    settings: recipe.Recipe,
    dataset: str,
    split: str,
    samples: list[Sample],
    data_folder: Path | None,
    events: list[str],
) -> list[Score]:
    table = settings.data[dataset]
    if settings.evaluate.floors:
        path = predicted.samples_path(run, dataset, split)
        predicted.check_unchanged(samples, load_samples(table, split, data_folder), path)
    # Positions, not samples: everything below selects from the answers in the samples' order.
    chosen = [
        place
        for place, sample in enumerate(samples)
        if sample.task == "vqa" or (sample.task in ("caption", "report") and table.loader in TEMPLATED)
    ]
    questions = _questions([samples[place] for place in chosen], settings, dataset, split)
    everything = replace(questions, clusters=numbered([sample.images for sample in samples]), groups={})
    if len(chosen) < len(samples):
        tasks = sorted({sample.task for sample in samples} - {samples[place].task for place in chosen})
        events.append(
            f"{dataset}, {split}: {len(samples) - len(chosen)} of {len(samples)} samples ({', '.join(tasks)})"
            " have no exact match: it says nothing of free text and boxes"
        )
    scores: list[Score] = []
    systems: list[_System] = []
    for name, blind in (("model", False), ("blind", True)):
        if blind and not settings.predict.blind:
            continue
        path = predicted.predictions_path(run, dataset, split, blind=blind)
        predictions = predicted.read_predictions(path, samples, blind=blind)
        scores += _rates(everything, predictions, name)
        texts = [predictions[place].text for place in chosen]
        how = " / ".join(dict.fromkeys(prediction.generation for prediction in predictions))
        systems.append(_System(name, texts, how))
    if settings.evaluate.floors and chosen:
        systems += _floors([samples[place] for place in chosen], settings, dataset, data_folder, events)
    for name, texts, how in track(systems if chosen else [], f"scoring {dataset}", unit="systems"):
        scores += score_answers(questions, texts, name, how)
    return scores + published_scores(table.loader, split, dataset, table.options)


def _questions(samples: list[Sample], settings: recipe.Recipe, dataset: str, split: str) -> Questions:
    several_tasks = len({sample.task for sample in samples}) > 1
    metas = [{"task": sample.task, **sample.meta} if several_tasks else sample.meta for sample in samples]
    # Open and closed, and the tasks where there are several, are told apart whatever else is asked for.
    asked = settings.evaluate.groups
    keys = tuple(dict.fromkeys(("task", "answer_type", *asked))) if asked else ()
    return Questions(
        dataset=dataset,
        split=split,
        references=[sample.reference for sample in samples],
        clusters=numbered([sample.images for sample in samples]),
        groups=groups_of(metas, keys),
        draws=settings.evaluate.bootstrap,
        seed=settings.evaluate.seed,
    )


def _rates(questions: Questions, predictions: list[Prediction], system: str) -> list[Score]:
    empty = [not prediction.text.strip() for prediction in predictions]
    cut = [prediction.finish == "length" for prediction in predictions]
    return [
        score_share(questions, empty, "empty_rate", system, "share of answers without text"),
        score_share(questions, cut, "cut_rate", system, "share of answers cut at the limit of tokens"),
    ]


def _floors(
    samples: list[Sample],
    settings: recipe.Recipe,
    dataset: str,
    data_folder: Path | None,
    events: list[str],
) -> list[_System]:
    """Return what the floors answer, task by task, from the last stage that trains on this data set."""
    stages = [stage for stage in settings.stages if dataset in stage.data]
    if not stages:
        events.append(f"{dataset}: no stage trains on it, so it has no floors")
        return []
    splits = (stages[-1].split, *stages[-1].also_train)
    training = [s for split in splits for s in load_samples(settings.data[dataset], split, data_folder)]
    majority, nearest_text = [""] * len(samples), [""] * len(samples)
    for task in dict.fromkeys(sample.task for sample in samples):
        known = [sample for sample in training if sample.task == task]
        if not known:
            events.append(f"{dataset}: no training sample of the task {task!r}, so it has no floors")
            return []
        questions, answers = [s.question for s in known], [s.reference for s in known]
        places = [place for place, sample in enumerate(samples) if sample.task == task]
        most_frequent = floors.majority(answers)
        nearest_answers = floors.nearest_text(questions, answers, [samples[i].question for i in places])
        for place, answer in zip(places, nearest_answers, strict=True):
            majority[place], nearest_text[place] = most_frequent, answer
    source = f"{len(training)} training samples ({' + '.join(splits)})"
    return [
        _System("floor:majority", majority, f"{floors.MAJORITY}, {source}"),
        _System("floor:nearest-text", nearest_text, f"{floors.NEAREST_TEXT}, {source}"),
    ]


def _log(path: Path, events: list[str]) -> None:
    """Append the events that the log does not hold yet: evaluating twice says nothing twice."""
    known = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    lines = [Event(text=text) for text in events]
    jsonl.append(path, [event for event in lines if event.model_dump_json() not in known])
