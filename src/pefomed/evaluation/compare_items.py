"""Two runs compared in metrics that have a value for each item: of words, of boxes, and the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pefomed.boxes.marks import unmarked, unmarked_answers
from pefomed.errors import DataError, ImageError
from pefomed.evaluation.given_metric import GIVEN
from pefomed.evaluation.groups import ANY_BOX, OVERALL
from pefomed.evaluation.item_scores import ItemKey
from pefomed.evaluation.masks import mask_values
from pefomed.evaluation.own_metrics import loaded_metrics, own_metrics
from pefomed.evaluation.paired_difference import (
    AnsweredPair,
    PairedDifference,
    item_difference,
    paired_items,
)
from pefomed.metrics.known import CLOSED
from pefomed.metrics.lookup import metrics_of, with_plugins
from pefomed.metrics.mask_dice import METRIC as MASK_DICE
from pefomed.metrics.phrase_items import items_of, phrase_keys
from pefomed.metrics.plugin_values import plugin_values
from pefomed.progress import note
from pefomed.tasks import TASKS, WORDS


def words_compared(pair: AnsweredPair) -> list[PairedDifference]:
    """Return the differences of answers in words: exact match, overlap of words, closed accuracy."""
    places, keys = _answered(pair, pair.places(WORDS))
    return [
        difference
        for metric in metrics_of("exact", "words", "closed")
        for difference in paired_items(
            pair, metric.name, places, keys, CLOSED if metric.section == "closed" else OVERALL
        )
    ]


def boxes_compared(pair: AnsweredPair) -> list[PairedDifference]:
    """Return the differences of boxes, phrase by phrase: how good they are, and left and right mistaken.

    Where some phrases have no box, those with boxes are a group of their own (`boxes=any`), but for metrics
    that are of these alone.
    """
    items = items_of(pair.samples)
    places, keys = [item.place for item in items], phrase_keys(items, pair.samples)
    present = [at for at, item in enumerate(items) if item.boxes]
    differences = []
    for metric in metrics_of("boxes", "sides"):
        if metric.name == MASK_DICE:
            differences += _masks_compared(pair, places, keys)
            continue
        of_all = paired_items(pair, metric.name, places, keys)
        of_some = paired_items(
            pair, metric.name, [places[at] for at in present], [keys[at] for at in present], ANY_BOX
        )
        differences += of_all
        differences += [few for few, every in zip(of_some, of_all, strict=False) if few.n < every.n]
    return differences


def plugins_compared(pair: AnsweredPair) -> list[PairedDifference]:
    """Return the differences in metrics of the user's own that both runs were scored with, item by item."""
    first, second = pair.runs
    common = {metric.name: metric for metric in own_metrics(second) if metric.per == "item"}
    differences: list[PairedDifference] = []
    for metric in own_metrics(first):
        chosen = [
            place for place, sample in enumerate(pair.samples) if TASKS[sample.task].answer in metric.kinds
        ]
        if metric.name not in common or not chosen:
            continue
        with with_plugins([metric]):
            # Of one function; another one's values say nothing beside it.
            if common[metric.name].implementation == metric.implementation:
                places, keys = _answered(pair, chosen)
                if written := paired_items(pair, metric.name, places, keys):
                    differences += written
                    continue
            if metric.implementation == GIVEN or common[metric.name].implementation == GIVEN:
                note(
                    f"{pair.dataset} {pair.split}: {metric.name} is not compared: values computed elsewhere"
                    " are not there, or not of the answers there now, in both runs; give them with --scores"
                )
                continue
            [loaded] = [each for each in loaded_metrics(first) if each.name == metric.name]
            samples = [unmarked(pair.samples[place]) for place in chosen]
            a, b = (
                plugin_values(loaded, samples, unmarked_answers([texts[place] for place in chosen], samples))
                for texts in pair.answers
            )
            differences.append(item_difference(pair, metric.name, chosen, a, b))
    return differences


def _answered(pair: AnsweredPair, places: Sequence[int]) -> tuple[Sequence[int], list[ItemKey]]:
    return places, [(pair.samples[place].id, None) for place in places]


def _masks_compared(
    pair: AnsweredPair, places: Sequence[int], keys: Sequence[ItemKey]
) -> list[PairedDifference]:
    """Return the difference in Dice with the masks, of the phrases that have some."""
    masks = [pair.samples[place].masks for place in places]
    if not any(masks):
        return []
    a, b = (np.isnan(table.column(MASK_DICE, keys)) for table in pair.values)
    if not a.all() and (a == b).all():
        return paired_items(pair, MASK_DICE, places, keys)
    # One of the runs was answered before its masks were kept, or has not been evaluated.
    given = [[table.boxes(sample_id, phrase or 0) for sample_id, phrase in keys] for table in pair.values]
    try:
        values = mask_values(masks, given)
    except (DataError, ImageError) as error:
        note(f"{pair.dataset} {pair.split}: no {MASK_DICE}: {error.problem}")
        return []
    known = np.flatnonzero(~np.isnan(values[0])).tolist()
    if not known:
        return []
    return [item_difference(pair, MASK_DICE, [places[at] for at in known], *values[:, known])]
