"""The floors of a run: what its last training stage on a data set gives without looking at the image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pefomed import recipe
from pefomed.data import card, load_samples
from pefomed.evaluate import floors
from pefomed.evaluate.constant import constant_report
from pefomed.schema import Sample


class System(NamedTuple):
    """Whose answers are scored: its name, its answers in the samples' order, how they came about."""

    name: str
    answers: list[str]
    how: str


def answer_floors(
    samples: Sequence[Sample],
    settings: recipe.Recipe,
    dataset: str,
    data_folder: Path | None,
    events: list[str],
) -> list[System]:
    """Return what the majority and nearest-text floors answer to `samples`, task by task.

    They learn from the last stage that trains on this data set; without one `events` says so.
    """
    found = _training(settings, dataset, data_folder)
    if found is None:
        events.append(f"{dataset}: no stage trains on it, so it has no floors")
        return []
    training, splits = found
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
    source = f"{len(training)} training samples ({splits})"
    return [
        System("floor:majority", majority, f"{floors.MAJORITY}, {source}"),
        System("floor:nearest-text", nearest_text, f"{floors.NEAREST_TEXT}, {source}"),
    ]


def constant_floor(
    samples: Sequence[Sample],
    settings: recipe.Recipe,
    dataset: str,
    data_folder: Path | None,
    events: list[str],
) -> list[System]:
    """Return the floor that gives one training text to every caption or report, task by task.

    It is chosen on the validation split: the stage's `validate_split`, or the loader's `validate`;
    on the training split where there is none, or where it was trained on.
    """
    found = _training(settings, dataset, data_folder)
    if found is None:
        return []  # `answer_floors` or the caller says so once
    training, splits = found
    chosen_split = _validation(settings, dataset)
    validation = load_samples(settings.data[dataset], chosen_split, data_folder) if chosen_split else training
    answers = [""] * len(samples)
    notes = []
    for task in dict.fromkeys(sample.task for sample in samples):
        known = [sample.reference for sample in training if sample.task == task and sample.reference]
        if not known:
            events.append(f"{dataset}: no training sample of the task {task!r}, so it has no constant text")
            return []
        on = [sample.reference for sample in validation if sample.task == task and sample.reference]
        where = f"{len(on)} {task}s of {chosen_split}" if chosen_split and on else "the training split itself"
        constant = constant_report(known, on or known)
        notes.append(
            f"one training {task} for every image, the best of {constant.candidates} different ones"
            f" ({splits}) by CIDEr (r2gen) on {where}: {constant.cider:.3f}"
        )
        for place, sample in enumerate(samples):
            if sample.task == task:
                answers[place] = constant.text
    return [System("floor:constant-report", answers, "; ".join(notes))]


def _stage(settings: recipe.Recipe, dataset: str) -> recipe.Stage | None:
    stages = [stage for stage in settings.stages if dataset in stage.data]
    return stages[-1] if stages else None


def _training(
    settings: recipe.Recipe, dataset: str, data_folder: Path | None
) -> tuple[list[Sample], str] | None:
    stage = _stage(settings, dataset)
    if stage is None:
        return None
    splits = (stage.split, *stage.also_train)
    samples = [s for split in splits for s in load_samples(settings.data[dataset], split, data_folder)]
    return samples, " + ".join(splits)


def _validation(settings: recipe.Recipe, dataset: str) -> str | None:
    stage = _stage(settings, dataset)
    assert stage is not None
    about = card(settings.data[dataset].loader)
    published = "validate" if about and "validate" in about.splits else None
    split = stage.validate_split or published
    answered = settings.predict.data.get(dataset)
    return split if split not in (stage.split, *stage.also_train, answered) else None
