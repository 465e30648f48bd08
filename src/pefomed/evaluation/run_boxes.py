"""The scores of a run's boxes: the model's, the blind run's, the floors', and the ceiling of its bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.writing import writing_of
from pefomed.boxes import BoxReading, PlacedBoxes, Writing
from pefomed.boxes.plain import read_plain
from pefomed.errors import DataError, ImageError
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.box_readings import REPAIRED, UNPARSABLE, reading_items
from pefomed.evaluation.grounding import MOST_CATEGORIES, score_answered_boxes
from pefomed.evaluation.groups import OVERALL, groups_of
from pefomed.evaluation.item_records import OWN, phrase_items
from pefomed.evaluation.masks import mask_values
from pefomed.evaluation.reader_agreement import others_boxes
from pefomed.evaluation.score import Questions, numbered, score_present, score_share
from pefomed.floors.absent import NoneFloor, none_floors
from pefomed.floors.boxes import floors_of
from pefomed.floors.nearest_image import NEAREST_IMAGE, nearest_image, thumbnails
from pefomed.metrics.box_values import box_values
from pefomed.metrics.laterality import RULE, laterality_values
from pefomed.metrics.mask_dice import METRIC
from pefomed.metrics.no_target import no_target_values
from pefomed.metrics.phrase_items import (
    PhraseItem,
    answers_of,
    are_known,
    items_of,
    phrase_keys,
    readings_of,
    written_and_read,
)
from pefomed.progress import track
from pefomed.schema import Sample, Score


class _System(NamedTuple):
    name: str
    answers: list[PlacedBoxes]
    how: str


def box_scores(answered: AnsweredSplit, places: Sequence[int]) -> list[Score]:
    """Return the scores of the boxes in the answers to the samples at `places`.

    Raises:
        DataError: a caption's mark names a box that is not there, or the images are letterboxed and a
            sample does not say how large its image is.
    """
    samples = [answered.samples[place] for place in places]
    if not are_known(samples, answered.run.recipe):
        return []
    items, writing = items_of(samples), writing_of(answered.run.recipe)
    readings_by_system = {}
    for system in answered.systems:
        readings = readings_of(system.only(places).answers, writing)
        answered.keep(reading_items(samples, readings, writing, system.name))
        readings_by_system[system.name] = readings
    if not items:
        return []
    scores: list[Score] = []
    systems = []
    by_sample = answered.questions(samples)
    for system in answered.systems:
        readings = readings_by_system[system.name]
        scores += _rates(by_sample, readings, system.name)
        answers = answers_of(items, samples, readings, writing)
        _say_outside(answered, system.name, answers)
        systems.append(_System(system.name, answers, system.how))
    systems += _floors(answered, items)
    systems += _nearest_image(answered, items, samples)
    steps = not (writing.given and all(map(read_plain, answered.systems[0].only(places).answers)))
    systems += [_ceiling(items, samples, writing)] if steps else []
    questions = _questions(answered, items, samples)
    categories, references = [item.category for item in items], [item.boxes for item in items]
    phrases = [item.phrase for item in items]
    keys = phrase_keys(items, samples)
    for name, answers, how in track(systems, f"scoring {answered.dataset}, boxes", unit="systems"):
        values = box_values(references, answers)
        scores += score_answered_boxes(questions, categories, references, answers, name, how, values)
        sides = laterality_values(phrases, references, [answer.boxes for answer in answers])
        if name in OWN:
            values |= {**no_target_values(references, answers), **sides}
            answered.keep(phrase_items(keys, answers, name, values))
        scores += score_present(questions, sides, name, f"{RULE}; {how}" if how else RULE)
    own = _System(
        "ceiling:boxes", [PlacedBoxes(item.boxes) for item in items], "the reference boxes themselves"
    )
    scores += _mask_scores(answered, items, samples, [*systems, own], questions)
    return scores + _agreement(answered, items, samples)


def _rates(questions: Questions, readings: Sequence[BoxReading], system: str) -> list[Score]:
    return [
        score_share(questions, [reading.state == state for reading in readings], metric, system)
        for metric, state in ((UNPARSABLE, "unparsable"), (REPAIRED, "repaired"))
    ]


def _say_outside(answered: AnsweredSplit, system: str, answers: Sequence[PlacedBoxes]) -> None:
    outside = sum(answer.outside for answer in answers)
    if outside:
        answered.run.events.append(
            f"{answered.name}: {outside} boxes of {system} lie in the padding around the image"
        )


def _floors(answered: AnsweredSplit, items: Sequence[PhraseItem]) -> list[_System]:
    if not answered.has_floors:
        return []
    training = answered.training
    known = items_of(training.samples) if training else []
    floors = floors_of(known, items)
    if training and len(floors) == 1:
        answered.run.events.append(
            f"{answered.dataset}: no training phrase has exactly one box, so there is no median box"
        )
    source = f", {training.source}" if training else ""
    boxes = [
        NoneFloor(floor.name, [(box,) for box in floor.boxes], floor.how, floor.learns) for floor in floors
    ]
    return [
        _System(floor.name, [PlacedBoxes(given) for given in floor.boxes], floor.how + source * floor.learns)
        for floor in (*boxes, *none_floors(known, items, floors))
    ]


def _nearest_image(
    answered: AnsweredSplit, items: Sequence[PhraseItem], samples: Sequence[Sample]
) -> list[_System]:
    training = answered.training
    known = items_of(training.samples) if training else []
    if not answered.has_floors or training is None or not known:
        return []
    try:
        found = nearest_image(
            known,
            thumbnails([training.samples[item.place].images[0] for item in known]),
            items,
            thumbnails([samples[item.place].images[0] for item in items]),
        )
    except ImageError as error:
        answered.run.events.append(f"{answered.dataset}: no floor of the most similar image: {error.problem}")
        return []
    how = f"{NEAREST_IMAGE}, {training.source}"
    return [_System("floor:nearest-image", [PlacedBoxes(boxes) for boxes in found], how)]


def _ceiling(items: Sequence[PhraseItem], samples: Sequence[Sample], writing: Writing) -> _System:
    how = f"the reference boxes written in {writing.steps} and read again"
    return _System("ceiling:bins", written_and_read(items, samples, writing), how)


def _mask_scores(
    answered: AnsweredSplit,
    items: Sequence[PhraseItem],
    samples: Sequence[Sample],
    systems: Sequence[_System],
    questions: Questions,
) -> list[Score]:
    """Return the Dice with the masks, where some are known."""
    masks = [samples[item.place].masks for item in items]
    if not any(masks):
        return []
    try:
        columns = mask_values(masks, [[answer.boxes for answer in system.answers] for system in systems])
    except (DataError, ImageError) as error:
        answered.run.events.append(f"{answered.name}: no mask_dice: {error.problem}")
        unknown = np.full((len(systems), len(masks)), np.nan)
        _keep_masks(answered, items, samples, systems, unknown, error.problem)
        return []
    _keep_masks(answered, items, samples, systems, columns, "the mask holds no pixel's centre")
    if bare := sum(bool(kept) for kept in masks) - int((~np.isnan(columns[0])).sum()):
        answered.run.events.append(f"{answered.name}: {bare} masks hold no pixel's centre: no mask_dice")
    return [
        score
        for system, values in zip(systems, columns, strict=True)
        for score in score_present(questions, {METRIC: values}, system.name, system.how)
    ]


def _keep_masks(
    answered: AnsweredSplit,
    items: Sequence[PhraseItem],
    samples: Sequence[Sample],
    systems: Sequence[_System],
    columns: NDArray[np.float64],
    missing: str,
) -> None:
    """Keep the values of the phrases that have a mask, or why one has no value."""
    why = {METRIC: [missing if samples[item.place].masks else "" for item in items]}
    for system, values in zip(systems, columns, strict=True):
        if system.name in OWN:
            keys = phrase_keys(items, samples)
            answered.keep(phrase_items(keys, system.answers, system.name, {METRIC: values}, why))


def _agreement(
    answered: AnsweredSplit, items: Sequence[PhraseItem], samples: Sequence[Sample]
) -> list[Score]:
    """Return the scores of each reader's boxes against another's, where several drew the same finding."""
    others = others_boxes(items, samples)
    if not others:
        return []
    asked = [items[place] for place in others]
    questions = _questions(answered, asked, samples)
    answers = [PlacedBoxes(boxes) for boxes in others.values()]
    how = f"each reader's boxes against the next one's, of the {len(asked)} items with several readers"
    scores = score_answered_boxes(
        questions,
        [item.category for item in asked],
        [item.boxes for item in asked],
        answers,
        "ceiling:readers",
        how,
    )
    return scores + _mask_scores(
        answered, asked, samples, [_System("ceiling:readers", answers, how)], questions
    )


def _questions(answered: AnsweredSplit, items: Sequence[PhraseItem], samples: Sequence[Sample]) -> Questions:
    """Return the items' groups and images: the samples' keys, and category and number of boxes."""
    of_samples = answered.questions([samples[item.place] for item in items])
    metas = [item.meta for item in items]
    few = len({item.category for item in items}) <= MOST_CATEGORIES
    keys = (*answered.run.evaluate.groups, *(("category",) if few else ()), "boxes")
    own = groups_of(metas, keys)
    groups = {name: places for name, places in of_samples.groups.items() if _key(name) not in keys}
    return Questions(
        dataset=answered.dataset,
        split=answered.split,
        references=[item.phrase for item in items],
        clusters=numbered([samples[item.place].images for item in items]),
        groups={OVERALL: own[OVERALL], **groups, **own},
        draws=of_samples.draws,
        seed=of_samples.seed,
    )


def _key(group: str) -> str:
    return group.partition("=")[0]
