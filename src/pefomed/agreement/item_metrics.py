"""Metrics of single items, to be held against the labels of judges and humans."""

from __future__ import annotations

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.agreement.splits import RatedSplit
from pefomed.metrics.lookup import table
from pefomed.tasks import TASKS


def item_metrics(split: RatedSplit) -> dict[str, Floats]:
    """Return each metric's value of every item, NaN where it was not answered: name -> (N,).

    Those of the table that stand beside labels and are of such answers: of words the exact matches, of texts
    BLEU-4, ROUGE-L and CIDEr of the single text in every preset, of both the user's own. Names as in
    `scores.jsonl`.
    """
    kinds = {TASKS[sample.task].answer for sample in split.samples}
    beside = {
        name for name, metric in table().items() if metric.beside_labels and kinds.intersection(metric.kinds)
    }
    keys = [(sample.id, None) for sample in split.samples]
    columns = {name: split.values.column(name, keys) for name in split.values.metrics() if name in beside}
    return {name: column for name, column in columns.items() if not np.isnan(column).all()}
