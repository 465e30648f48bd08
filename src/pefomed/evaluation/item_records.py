"""Values of single answers as records, made by whoever computes the values that a score is the mean of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.boxes import Placed
from pefomed.evaluation.caption_scores import Corpus
from pefomed.metrics.box_items import PhraseItem
from pefomed.metrics.captions import bleu
from pefomed.metrics.find import metric_of
from pefomed.metrics.references import each_of
from pefomed.schema import ItemScore, Sample

MODEL = "model"
OWN = (MODEL, "blind")
"""Systems whose values are kept: floors' are read by nobody."""

Values = Mapping[str, NDArray[np.float64]]
"""Metric -> value of each item, (N,); NaN of an item that the metric is not of."""

SINGLE = ("bleu_4", "rouge_l", "cider")
"""Metrics of texts that say something of one text; METEOR and shorter BLEU are of the corpus alone."""


def answer_items(
    samples: Sequence[Sample], texts: Sequence[str], system: str, values: Values
) -> list[ItemScore]:
    """Return a record for each metric of each answer, nothing where its value is NaN.

    Closed accuracy is of closed questions alone.

    Args:
        texts: the answers; what a metric reads of one is kept where it differs.
    """
    found = []
    for name, column in values.items():
        reading, section = metric_of(name).reading, metric_of(name).section
        for sample, text, value in zip(samples, texts, column.tolist(), strict=True):
            if value == value and (section != "closed" or is_closed(sample)):
                read = reading(each_of(sample.references)[0], text) if reading else text
                said = "" if read == text else read
                found.append(
                    ItemScore(sample_id=sample.id, system=system, metric=name, value=value, read=said)
                )
    return found


def is_closed(sample: Sample) -> bool:
    """Return whether the data set calls a question closed."""
    return sample.meta.get("answer_type", "").upper() == "CLOSED"


def text_values(corpus: Corpus, sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return `SINGLE` of each text in one preset, of its sums, shape (N, 13)."""
    rouge, cider = sums[:, bleu.COLUMNS : bleu.COLUMNS + 2].T
    columns = (bleu.bleu(sums[:, : bleu.COLUMNS])[:, 3], rouge, cider)
    return {f"{name}{corpus.preset.suffix}": column for name, column in zip(SINGLE, columns, strict=True)}


def value_items(samples: Sequence[Sample], system: str, values: Values) -> list[ItemScore]:
    """Return a record for each metric of each answer."""
    return [
        ItemScore(sample_id=sample.id, system=system, metric=name, value=value)
        for name, column in values.items()
        for sample, value in zip(samples, column.tolist(), strict=True)
    ]


def phrase_items(
    keys: Sequence[tuple[str, int]],
    answers: Sequence[Placed],
    system: str,
    values: Values,
    lacking: Mapping[str, Sequence[str]] | None = None,
) -> list[ItemScore]:
    """Return a record for each metric of each phrase, with the boxes that its answer gives it.

    Args:
        keys: of each phrase its sample and its number there, see `phrase_keys`.
        lacking: metric -> why it has no value for each phrase; empty where the metric is not of it.
    """
    read = [read_of(answer) for answer in answers]
    found = []
    for name, column in values.items():
        reasons = (lacking or {}).get(name, ("",) * len(keys))
        for (sample_id, number), said, value, why in zip(keys, read, column.tolist(), reasons, strict=True):
            if value == value or why:
                found.append(
                    ItemScore(
                        sample_id=sample_id,
                        phrase=number,
                        system=system,
                        metric=name,
                        value=value if value == value else None,
                        why=why if value != value else "",
                        read=said,
                    )
                )
    return found


def phrase_keys(items: Sequence[PhraseItem], samples: Sequence[Sample]) -> list[tuple[str, int]]:
    """Return each phrase's sample id, and how many phrases of the sample stand before it."""
    seen: Counter[int] = Counter()
    keys = []
    for item in items:
        keys.append((samples[item.place].id, seen[item.place]))
        seen[item.place] += 1
    return keys


def read_of(answer: Placed) -> str:
    """Return the boxes that were read, as JSON; `[]` for none, an empty text where nothing could be read."""
    if not answer.readable:
        return ""
    return json.dumps([[box.x0, box.y0, box.x1, box.y1] for box in answer.boxes])
