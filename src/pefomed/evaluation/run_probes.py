"""Whether a run's answers follow the picture: what changes when a sample is asked otherwise.

The answers are compared with those to the sample as it is; each figure is over the samples that the probe
could ask, and its clusters are their own images. Definitions: docs/probes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.writing import writing_of
from pefomed.boxes import PlacedBoxes
from pefomed.boxes.region import iou
from pefomed.boxes.samples import is_absent
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.groups import is_closed
from pefomed.evaluation.item_records import value_items
from pefomed.evaluation.probe_answers import Asked
from pefomed.evaluation.score import score_present
from pefomed.metrics.closed import closed_accuracy
from pefomed.metrics.exact_match import exact_match
from pefomed.metrics.references import best, each_of
from pefomed.metrics.same_answer import any_of, kinds_of, same_answer
from pefomed.probes.absent import ENDING, is_denied
from pefomed.probes.mirror import SIDES, mirrored_boxes
from pefomed.probes.swap import KNOWN
from pefomed.samples.side_words import exchanged
from pefomed.schema import Sample, Score
from pefomed.tasks import BOXES, WORDS

Values = dict[str, NDArray[np.float64]]
Probes = Mapping[str, Mapping[str, Asked]]


def probe_scores(answered: AnsweredSplit, probes: Probes) -> list[Score]:
    """Return the scores of the probes that were answered, none if there are none; each item's are kept.

    Args:
        probes: see `read_probes`.
    """
    recipe = answered.run.recipe
    if not probes and not (recipe and "absent" in recipe.predict.probes):
        return []
    scores: list[Score] = []
    words, boxes = answered.places(*WORDS), answered.places(*BOXES)
    if words:
        part = answered.only(words)
        blind = part.systems[1].answers if len(part.systems) > 1 else None
        values = word_probes(part.samples, part.systems[0].answers, blind, probes)
        scores += _scored(part, part.samples, values)
    if boxes:
        part = answered.only(boxes)
        scores += _scored(part, part.samples, _box_probes(part, probes))
        scores += _made_absent(part, probes)
    return scores


def word_probes(
    samples: Sequence[Sample], answers: Sequence[str], blind: Sequence[str] | None, probes: Probes
) -> Values:
    """Return the value of each question in each measure: (N,), NaN where it has none.

    Args:
        blind: the answers to the mean image, if there are any.
        probes: probe -> sample id -> what was asked and answered.
    """
    right = _column(samples, answers, lambda sample, text: _is_right(sample, sample.references, text))
    values: Values = {"probe_right": right}
    others = []
    if "swap" in probes:
        asked = [probes["swap"].get(sample.id) for sample in samples]
        changed = _otherwise(samples, answers, [one and one.text for one in asked])
        others.append(changed)
        known = [one is not None and one.sample.meta.get(KNOWN) == "yes" for one in asked]
        values["probe_swap_changed"] = changed
        values["probe_swap_changed_known"] = np.where(known, changed, np.nan)
        values["probe_swap_right"] = np.array(
            [
                float(_is_right(sample, one.sample.references, one.text)) if one and there else np.nan
                for sample, one, there in zip(samples, asked, known, strict=True)
            ]
        )
    if blind is not None:
        values["probe_mean_changed"] = _otherwise(samples, answers, blind)
        others.append(values["probe_mean_changed"])
    if "mirror" in probes:
        values |= _mirror(samples, answers, probes["mirror"])
    if others:
        looks = any_of(others)
        values["probe_right_needs_image"] = np.where(np.isnan(looks), np.nan, right * looks)
        values["probe_right"] = np.where(np.isnan(looks), np.nan, right)
    if "paraphrase" in probes:
        given = [probes["paraphrase"].get(sample.id) for sample in samples]
        flipped = _otherwise(samples, answers, [one and one.text for one in given])
        values["probe_paraphrase_flipped"] = flipped
        if others:
            kinds = kinds_of(right, looks, 1 - flipped)
            values |= {f"probe_{name}": column for name, column in kinds.items()}
    if any(map(is_denied, samples)):
        values["probe_absent_affirmed"] = np.array(
            [
                float(not same_answer("no", "no", text)) if is_denied(sample) else np.nan
                for sample, text in zip(samples, answers, strict=True)
            ]
        )
    return values


def _mirror(samples: Sequence[Sample], answers: Sequence[str], asked: Mapping[str, Asked]) -> Values:
    kept, sided = np.full(len(samples), np.nan), np.zeros(len(samples), dtype=bool)
    for place, (sample, text) in enumerate(zip(samples, answers, strict=True)):
        one = asked.get(sample.id)
        wanted = exchanged(text)
        if one is not None and wanted is not None:
            kept[place] = same_answer(one.sample.reference, wanted, one.text)
            sided[place] = one.sample.meta.get(SIDES) == "yes" or wanted != text
    return {
        "probe_mirror_followed": kept,
        "probe_mirror_followed_sides": np.where(sided, kept, np.nan),
    }


def _box_probes(answered: AnsweredSplit, probes: Probes) -> Values:
    """Return the values of phrases: IoU between the answers, and boxes where there should be none."""
    samples = answered.samples
    own = [_placed(answered, sample, text) for sample, text in
           zip(samples, answered.systems[0].answers, strict=True)]  # fmt: skip
    values: Values = {}

    def against(probe: str, turned: Callable[[PlacedBoxes], PlacedBoxes]) -> NDArray[np.float64]:
        found = np.full(len(samples), np.nan)
        for place, sample in enumerate(samples):
            one = probes[probe].get(sample.id)
            if one is not None:
                found[place] = _agreement(turned(own[place]), _placed(answered, one.sample, one.text))
        return found

    if "swap" in probes:
        values["probe_swap_iou"] = against("swap", lambda boxes: boxes)
    if "mirror" in probes:
        values["probe_mirror_iou"] = against(
            "mirror", lambda placed: placed._replace(boxes=mirrored_boxes(placed.boxes))
        )
    if any(map(is_absent, samples)):
        values["probe_absent_boxes"] = np.array(
            [
                float(bool(placed.boxes or placed.outside)) if is_absent(sample) else np.nan
                for sample, placed in zip(samples, own, strict=True)
            ]
        )
    return values


def _made_absent(answered: AnsweredSplit, probes: Probes) -> list[Score]:
    """Return how often a name that is not in the picture got boxes, where the probe asked for one."""
    known = {sample.id for sample in answered.samples}
    asked = [one for name, one in probes.get("absent", {}).items() if name.removesuffix(ENDING) in known]
    if not asked:
        return []
    samples = [one.sample for one in asked]
    placed = [_placed(answered, one.sample, one.text) for one in asked]
    values = {"probe_absent_boxes": np.array([float(bool(one.boxes or one.outside)) for one in placed])}
    return _scored(answered, samples, values, keep=False)


def _scored(
    answered: AnsweredSplit, samples: Sequence[Sample], values: Values, *, keep: bool = True
) -> list[Score]:
    if keep:
        for name, column in values.items():
            there = np.flatnonzero(~np.isnan(column)).tolist()
            answered.keep(value_items([samples[place] for place in there], "model", {name: column[there]}))
    return score_present(answered.questions(samples), values, "model")


def _placed(answered: AnsweredSplit, sample: Sample, text: str) -> PlacedBoxes:
    writing = writing_of(answered.run.recipe)
    reading = writing.read(text)
    return writing.placed(reading.boxes, sample.size)._replace(
        readable=bool(reading.boxes) or reading.says_none
    )


def _agreement(one: PlacedBoxes, other: PlacedBoxes) -> float:
    """Return the IoU of two answers; 1 where both say that there is none, 0 where one cannot be read."""
    if not (one.boxes or other.boxes):
        return float(one.readable and other.readable and not (one.outside or other.outside))
    return iou(one.boxes, other.boxes)


def _is_right(sample: Sample, references: Sequence[str], text: str) -> bool:
    metric = closed_accuracy if is_closed(sample.meta) else exact_match
    return bool(best(metric, each_of(tuple(references)), text))


def _otherwise(
    samples: Sequence[Sample], answers: Sequence[str], others: Sequence[str | None]
) -> NDArray[np.float64]:
    """Return 1 where the other answer says something else, 0 where the same, NaN where there is none."""
    return np.array(
        [
            np.nan if other is None else float(not same_answer(sample.reference, text, other))
            for sample, text, other in zip(samples, answers, others, strict=True)
        ]
    )


def _column(
    samples: Sequence[Sample], answers: Sequence[str], value: Callable[[Sample, str], bool]
) -> NDArray[np.float64]:
    return np.array([float(value(*pair)) for pair in zip(samples, answers, strict=True)])
