"""Metrics of single items, to be held against the labels of judges and humans."""

from __future__ import annotations

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.agreement.splits import RatedSplit
from pefomed.evaluation.caption_scores import corpora, item_sums
from pefomed.evaluation.score import functions
from pefomed.metrics.captions import bleu
from pefomed.metrics.find import table
from pefomed.metrics.references import best


def item_metrics(split: RatedSplit) -> dict[str, Floats]:
    """Return each metric's value of every item, NaN where it was not answered: name -> (N,).

    Questions: the exact matches. Reports and captions: BLEU-4, ROUGE-L and CIDEr of the single text,
    in every preset; names as in `scores.jsonl`.
    """
    answered = np.array([sample.id in split.answers for sample in split.samples])
    if not answered.any():
        return {}
    values = _matches(split) if split.scale == "binary" else _captions(split)
    return {name: np.where(answered, column, np.nan) for name, column in values.items()}


def _matches(split: RatedSplit) -> dict[str, Floats]:
    return {
        name: np.array(
            [best(function, s.references, split.answers.get(s.id, "")) for s in split.samples],
            dtype=np.float64,
        )
        for name, function in functions("exact").items()
        if table()[name].beside_labels
    }


def _captions(split: RatedSplit) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    tasks = [sample.task for sample in split.samples]
    for corpus in corpora([sample.references for sample in split.samples], tasks):
        tokens = [corpus.preset.tokens(split.answers.get(sample.id, "")) for sample in split.samples]
        sums = item_sums(corpus, tokens)
        rouge, cider = sums[:, bleu.COLUMNS : bleu.COLUMNS + 2].T
        single = {"bleu_4": bleu.bleu(sums[:, : bleu.COLUMNS])[:, 3], "rouge_l": rouge, "cider": cider}
        found |= {f"{name}{corpus.preset.suffix}": column for name, column in single.items()}
    return found
