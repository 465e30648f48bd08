"""The floors of a run's texts: what its training data gives without looking at the image.

Beside them one figure that is no floor but a measure of leakage: what the training questions about the very
image asked about give, where test images were trained on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pefomed.datasets import card
from pefomed.evaluation.answered_split import AnsweredSplit, System, Training
from pefomed.evaluation.same_images import contents
from pefomed.floors import votes
from pefomed.floors.constant import constant_report
from pefomed.floors.nearest_box import NEAREST_BOX, nearest_box
from pefomed.schema import Sample
from pefomed.tasks import ABOUT_BOXES

LANGUAGE = "language"
"""The key of a question's language, where a data set has several."""


def answer_floors(answered: AnsweredSplit, samples: Sequence[Sample]) -> list[System]:
    """Return what the majority and nearest-text floors answer to `samples`, task by task.

    They learn from the last stage that trains on this data set. Where images of `samples` are among the
    training images, `floor:nearest-text-same-image` says what recognising them is worth. Where phrases of
    boxes are asked for, `floor:nearest-box` goes by the boxes, and answers the rest as nearest-text.
    """
    training = answered.training
    if training is None:
        return []
    images = _images(training.samples, samples)
    shared = len(set(images.asked) & set(images.training))
    several = len({_language(sample) for sample in training.samples}) > 1
    near = votes.NEAREST_TEXT
    if any(re.search(votes.CHARACTER, sample.question) for sample in samples):
        near += "; of Chinese each character is a word"
    how = {
        "floor:majority": f"{votes.MAJORITY}{' of its language' if several else ''}, {training.source}",
        "floor:nearest-text": f"{near}, {training.source}",
    }
    if shared:
        how["floor:nearest-text-same-image"] = (
            f"{votes.NEAREST_TEXT_SAME_IMAGE}; {shared} of {len(set(images.asked))} images asked about were"
            f" trained on; {training.source}"
        )
    if any(sample.task in ABOUT_BOXES for sample in samples):
        how["floor:nearest-box"] = f"{NEAREST_BOX}; other tasks by nearest text; {training.source}"
    answers = {name: [""] * len(samples) for name in how}
    for task in dict.fromkeys(sample.task for sample in samples):
        known = [place for place, sample in enumerate(training.samples) if sample.task == task]
        if not known:
            answered.run.events.append(
                f"{answered.dataset}: no training sample of the task {task!r}, so it has no floors"
            )
            return []
        questions = [training.samples[place].question for place in known]
        replies = [training.samples[place].reference for place in known]
        places = [place for place, sample in enumerate(samples) if sample.task == task]
        asked = [samples[place].question for place in places]
        about = votes.ImageKeys([images.training[i] for i in known], [images.asked[i] for i in places])
        for name in how:
            if name == "floor:majority":
                found = _majorities([training.samples[i] for i in known], [samples[i] for i in places])
            elif name == "floor:nearest-box" and task in ABOUT_BOXES:
                boxes = [training.samples[place].boxes for place in known]
                found = nearest_box(boxes, replies, [samples[place].boxes for place in places])
            else:
                same_image = about if name == "floor:nearest-text-same-image" else None
                found = votes.nearest_text(questions, replies, asked, same_image)
            for place, answer in zip(places, found, strict=True):
                answers[name][place] = answer
    return [System(name, answers[name], how[name]) for name in how]


def constant_floor(
    answered: AnsweredSplit, samples: Sequence[Sample], training: Training, validation: Sequence[Sample]
) -> list[System]:
    """Return the floor that gives one training text to every caption or report, task by task.

    Args:
        training: what was trained on.
        validation: the samples of `validation_split`, empty if there is none: then the text is chosen
            on the training split itself.
    """
    chosen_split = validation_split(answered)
    answers = [""] * len(samples)
    notes = []
    for task in dict.fromkeys(sample.task for sample in samples):
        known = [sample.reference for sample in training.samples if sample.task == task and sample.reference]
        if not known:
            answered.run.events.append(
                f"{answered.dataset}: no training sample of the task {task!r}, so it has no constant text"
            )
            return []
        on = [sample.reference for sample in validation if sample.task == task and sample.reference]
        where = f"{len(on)} {task}s of {chosen_split}" if on else "the training split itself"
        constant = constant_report(known, on or known)
        notes.append(
            f"one training {task} for every image, the best of {constant.candidates} different ones"
            f" ({training.splits}) by CIDEr (r2gen) on {where}: {constant.cider:.3f}"
        )
        for place, sample in enumerate(samples):
            if sample.task == task:
                answers[place] = constant.text
    return [System("floor:constant-report", answers, "; ".join(notes))]


def validation_split(answered: AnsweredSplit) -> str | None:
    """Return the stage's `validate_split`, or the loader's `validate`; None if there is none to choose on."""
    stage = answered.stage
    if stage is None:  # somebody else's answers: one training table, and nothing to choose on
        return None
    assert answered.run.recipe is not None
    about = card(answered.run.recipe.data[answered.dataset].loader)
    published = "validate" if about and "validate" in about.splits else None
    split = stage.validate_split or published
    return split if split not in (stage.split, *stage.also_train, answered.split) else None


def _majorities(training: Sequence[Sample], asked: Sequence[Sample]) -> list[str]:
    """Return the most frequent training answer of each sample's own language."""
    by_language = {
        language: votes.majority([one.reference for one in training if _language(one) == language])
        for language in {_language(one) for one in training}
    }
    every = votes.majority([one.reference for one in training])
    return [by_language.get(_language(one), every) for one in asked]


def _language(sample: Sample) -> str:
    return sample.meta.get(LANGUAGE, "")


def _images(training: Sequence[Sample], asked: Sequence[Sample]) -> votes.ImageKeys:
    """Return the content of each sample's images, so that copies under other names are the same."""
    named = contents(path for sample in (*training, *asked) for path in sample.images)
    of_training, of_asked = (
        [tuple(named[path] for path in sample.images) for sample in samples] for samples in (training, asked)
    )
    return votes.ImageKeys(of_training, of_asked)
