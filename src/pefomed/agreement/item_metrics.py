"""Metrics of single items, to be held against the labels of judges and humans."""

from __future__ import annotations

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.agreement.splits import RatedSplit
from pefomed.metrics.lookup import named, table


def item_metrics(split: RatedSplit) -> dict[str, Floats]:
    """Return each metric's value of every item, NaN where it was not answered: name -> (N,).

    Questions: the exact matches. Reports and captions: BLEU-4, ROUGE-L and CIDEr of the single text,
    in every preset. Of both the user's own; names as in `scores.jsonl`.
    """
    sections = named("exact", "other") if split.scale == "binary" else named("texts", "other")
    keys = [(sample.id, None) for sample in split.samples]
    found = {
        name: split.values.column(name, keys)
        for name in split.values.metrics()
        if name in sections and table()[name].beside_labels
    }
    return {name: column for name, column in found.items() if not np.isnan(column).all()}
