"""The values of single answers of a run: as evaluation wrote them, or else computed of its answers.

Comparison, agreement and the report's browser of items ask here; nobody else holds an answer against its
reference. RUN/item_scores/<dataset>-<split>.jsonl is used only if it is of the answers there now, and was
written by this version (see `origin`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.writing import writing_of
from pefomed.boxes.marks import unmarked, unmarked_answers
from pefomed.boxes.plain import read_plain
from pefomed.evaluation.box_readings import (
    REPAIRED,
    UNPARSABLE,
    AnswerReading,
    answer_reading,
    reading_items,
)
from pefomed.evaluation.item_records import (
    answer_items,
    phrase_items,
    value_items,
)
from pefomed.evaluation.origin import read_item_scores
from pefomed.metrics.box_values import BOX_METRICS, box_values
from pefomed.metrics.captions.corpus import corpora, single_values, text_sums
from pefomed.metrics.laterality import laterality_values
from pefomed.metrics.no_target import no_target_values
from pefomed.metrics.phrase_items import answers_of, are_known, items_of, phrase_keys, readings_of
from pefomed.metrics.word_values import word_values
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.schema import Box, ItemScore, Sample
from pefomed.tasks import BINARY, MARKED, TEXTS, WITH_BOXES, WORDS

Part = Literal["words", "texts", "boxes"]
ItemKey = tuple[str, int | None]
"""Sample id, and the phrase's number where the value is of a phrase."""
Answers = Mapping[str, Mapping[str, str]]
"""System -> sample id -> its answer."""


class ItemTable:
    """Values by system, metric and item; one that is not there is NaN."""

    def __init__(self, records: Iterable[ItemScore]):
        self._values: dict[tuple[str, str], dict[ItemKey, float]] = {}
        self._read: dict[tuple[str, str], dict[ItemKey, str]] = {}
        for record in records:
            if record.value is not None:
                self._values.setdefault((record.system, record.metric), {})[
                    record.sample_id, record.phrase
                ] = record.value
            if record.read:
                self._read.setdefault((record.system, record.metric), {})[record.sample_id, record.phrase] = (
                    record.read
                )

    def metrics(self, system: str = "model") -> list[str]:
        """Return the metrics that some item has a value of."""
        return [metric for name, metric in self._values if name == system]

    def value(self, metric: str, sample_id: str, phrase: int | None = None, system: str = "model") -> float:
        """Return one value; NaN if there is none."""
        return self._values.get((system, metric), {}).get((sample_id, phrase), np.nan)

    def read(self, metric: str, sample_id: str, phrase: int | None = None, system: str = "model") -> str:
        """Return what a metric read from the answer; empty where that is the answer itself, or nothing."""
        return self._read.get((system, metric), {}).get((sample_id, phrase), "")

    def boxes(self, sample_id: str, phrase: int, system: str = "model") -> tuple[Box, ...]:
        """Return the boxes that an answer gives to a phrase, in the original image."""
        reading = read_plain(self.read(BOX_METRICS[0], sample_id, phrase, system))
        return reading.boxes if reading else ()

    def reading(self, sample_id: str, system: str = "model") -> AnswerReading:
        """Return what an answer says about boxes.

        Raises:
            DataError: the records are damaged.
        """
        values = [self.value(metric, sample_id, system=system) for metric in (UNPARSABLE, REPAIRED)]
        texts = [self.read(metric, sample_id, system=system) for metric in (UNPARSABLE, REPAIRED)]
        return answer_reading(values[0], values[1], texts[0], texts[1], sample_id)

    def column(self, metric: str, keys: Iterable[ItemKey], system: str = "model") -> NDArray[np.float64]:
        """Return the values of the items, NaN where there is none."""
        known = self._values.get((system, metric), {})
        return np.array([known.get(key, np.nan) for key in keys], dtype=np.float64)


def item_table(
    run: Path, split: tuple[str, str], samples: Sequence[Sample], answers: Answers, *parts: Part
) -> ItemTable:
    """Return the values of a split's answers, of these parts at least.

    Args:
        split: (data set, split).

    Raises:
        DataError: the file is damaged, or the answers cannot be compared with the samples.
    """
    written = read_item_scores(run, split)
    if written is None:
        written = computed(RunFolder(run).read_recipe(), samples, answers, parts)
    return ItemTable(written)


def computed(
    recipe: Recipe | None, samples: Sequence[Sample], answers: Answers, parts: Collection[Part]
) -> list[ItemScore]:
    """Return the values of the answers, without those of masks, plug-ins and how answers came out.

    Args:
        answers: of some of the samples.
    """
    records: list[ItemScore] = []
    has = {sample.task for sample in samples if any(text.strip() for text in sample.references)}
    if "words" in parts:
        for system, given in answers.items():
            chosen = [sample for sample in samples if sample.task in has and sample.id in given]
            records += _of_words(chosen, given, system)
    if "texts" in parts:
        asked = [sample for sample in samples if sample.task in (*TEXTS, *MARKED) and sample.task in has]
        records += _of_texts([unmarked(sample) for sample in asked], answers)
    if "boxes" in parts:
        asked = [sample for sample in samples if sample.task in WITH_BOXES]
        if are_known(asked, recipe):
            for system, given in answers.items():
                records += _of_boxes(asked, system, given, recipe)
    return records


def _of_words(samples: Sequence[Sample], given: Mapping[str, str], system: str) -> list[ItemScore]:
    """Return the exact matches and the overlap of words, and closed accuracy of closed questions.

    Of texts that raters call right or wrong the exact matches alone.
    """
    in_words = [sample for sample in samples if sample.task in WORDS]
    labelled = [sample for sample in samples if sample.task in BINARY and sample.task not in WORDS]
    records: list[ItemScore] = []
    for chosen, sections in ((in_words, ("exact", "words", "closed")), (labelled, ("exact",))):
        if chosen:
            texts = [given[sample.id] for sample in chosen]
            values = word_values([sample.references for sample in chosen], texts, *sections)
            records += answer_items(chosen, texts, system, values)
    return records


def _of_texts(samples: Sequence[Sample], answers: Answers) -> list[ItemScore]:
    if not samples:
        return []
    records = []
    # Document frequencies are of all references of the split, answered or not.
    for corpus in corpora([sample.references for sample in samples], [sample.task for sample in samples]):
        for system, given in answers.items():
            texts = unmarked_answers([given.get(sample.id, "") for sample in samples], samples)
            values = single_values(corpus, text_sums(corpus, texts))
            there = np.array([sample.id in given for sample in samples])
            some = [sample for sample in samples if sample.id in given]
            records += value_items(some, system, {name: column[there] for name, column in values.items()})
    return records


def _of_boxes(
    samples: Sequence[Sample], system: str, given: Mapping[str, str], recipe: Recipe | None
) -> list[ItemScore]:
    chosen = [sample for sample in samples if sample.id in given]
    items, writing = items_of(chosen), writing_of(recipe)
    readings = readings_of([given[sample.id] for sample in chosen], writing)
    of_answers = reading_items(chosen, readings, writing, system)
    if not items:
        return of_answers
    answers = answers_of(items, chosen, readings, writing)
    references = [item.boxes for item in items]
    boxes = [answer.boxes for answer in answers]
    values = {
        **box_values(references, answers),
        **no_target_values(references, answers),
        **laterality_values([item.phrase for item in items], references, boxes),
    }
    return of_answers + phrase_items(phrase_keys(items, chosen), answers, system, values)
