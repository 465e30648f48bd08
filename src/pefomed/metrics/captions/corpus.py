"""Captions and reports of a split in one preset: the sums of each text, and the figures made of them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.captions import bleu, meteor
from pefomed.metrics.captions.pairs import Numbered
from pefomed.metrics.captions.presets import PRESETS, Preset
from pefomed.metrics.captions.rouge import rouge_l
from pefomed.metrics.known import METRICS
from pefomed.metrics.references import Reference, each_of
from pefomed.progress import track

FIGURES = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider")
"""Without METEOR, which needs Java; names end as their preset says, e.g. in `_r2gen`."""

TOPS = tuple(METRICS[name].most for name in FIGURES)
"""The largest value of each of them; the least is 0."""

FEWEST = tuple(METRICS[name].fewest for name in FIGURES)
"""Items below which there is no interval: of values as skewed as CIDEr's none is true (see `benchmarks`)."""

SINGLE = ("bleu_4", "rouge_l", "cider")
"""Metrics of texts that say something of one text; METEOR and shorter BLEU are of the corpus alone."""

_ROUGE, _CIDER, _ITEMS = bleu.COLUMNS, bleu.COLUMNS + 1, bleu.COLUMNS + 2  # columns after those of BLEU


class Corpus(NamedTuple):
    """The references of a split in one preset, made once for all systems."""

    preset: Preset
    references: list[list[list[str]]]
    """Of each item its references' tokens."""
    numbered: Numbered
    """With CIDEr's document frequencies, of each task's own references."""
    items: dict[str, int]
    """Task -> number of its references."""


def corpora(references: Sequence[Reference], tasks: Sequence[str]) -> list[Corpus]:
    """Return the tokenised references in every preset; `tasks` names each item's task."""
    texts = [each_of(reference) for reference in references]
    in_presets = []
    for preset in PRESETS.values():
        flat = iter(tokens_of(preset, [text for several in texts for text in several]))
        tokens = [[next(flat) for _ in several] for several in texts]
        numbered = Numbered([[_split(text) for text in several] for several in tokens], tasks)
        in_presets.append(Corpus(preset, tokens, numbered, dict(Counter(tasks))))
    return in_presets


def item_sums(corpus: Corpus, tokens: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return what the figures are functions of: BLEU's ten sums, ROUGE-L, CIDEr and 1; shape (N, 13)."""
    sums = np.ones((len(tokens), _ITEMS + 1))
    counted = corpus.numbered.sums([_split(text) for text in tokens])
    sums[:, :_ROUGE], sums[:, _CIDER] = counted[:, :_ROUGE], counted[:, _ROUGE]
    pairs = zip(tokens, corpus.references, strict=True)
    for place, (answer, several) in enumerate(track(pairs, "ROUGE-L", len(tokens))):
        sums[place, _ROUGE] = rouge_l(answer, several)
    return sums


def text_sums(corpus: Corpus, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return `item_sums` of texts that are not split into tokens yet."""
    return item_sums(corpus, tokens_of(corpus.preset, texts))


def figures_of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the FIGURES, shape (D, 6), of totals, shape (D, 13)."""
    means = totals[:, _ROUGE:_ITEMS] / totals[:, _ITEMS:]
    return np.concatenate((bleu.bleu(totals[:, :_ROUGE]), means), axis=1)


def single_values(corpus: Corpus, sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return `SINGLE` of each text in one preset, of its sums, shape (N, 13)."""
    rouge, cider = sums[:, bleu.COLUMNS : bleu.COLUMNS + 2].T
    columns = (bleu.bleu(sums[:, : bleu.COLUMNS])[:, 3], rouge, cider)
    return {f"{name}{corpus.preset.suffix}": column for name, column in zip(SINGLE, columns, strict=True)}


def meteor_or_why(
    several: Sequence[Corpus], answers: Sequence[Sequence[str]]
) -> tuple[Sequence[Sequence[NDArray[np.float64] | None]], str]:
    """Return METEOR's sums by preset and system; where there is no METEOR None for each, and why."""
    program = meteor.find()
    why = program if isinstance(program, str) else ""
    if not isinstance(program, str):
        try:
            return all_meteor_sums(several, answers, program), ""
        except meteor.MeteorFailed as failure:
            why = str(failure)
    return [[None] * len(answers)] * len(several), why


def all_meteor_sums(
    several: Sequence[Corpus], answers: Sequence[Sequence[str]], program: meteor.Program
) -> list[list[NDArray[np.float64]]]:
    """Return METEOR's sums for every preset and every system's answers, by a single start of the program.

    Raises:
        MeteorFailed: the program gave no result.
    """
    candidates: list[str] = []
    references: list[list[str]] = []
    for corpus in several:
        for texts in answers:
            candidates += [" ".join(tokens) for tokens in tokens_of(corpus.preset, texts)]
            references += [[" ".join(tokens) for tokens in each] for each in corpus.references]
    sums = meteor.statistics(candidates, references, program)
    parts = iter(np.split(sums, len(several) * len(answers)))
    return [[next(parts) for _ in answers] for _ in several]


def tokens_of(preset: Preset, texts: Sequence[str]) -> list[list[str]]:
    """Return the tokens of each text, equal texts split once."""
    known: dict[str, list[str]] = {}
    for text in texts:
        if text not in known:
            # A letter and its accent are one character or two, as the keyboard had it.
            known[text] = preset.tokens(unicodedata.normalize("NFC", text))
    return [known[text] for text in texts]


def _split(tokens: Sequence[str]) -> Sequence[str]:
    """Return the tokens as pycocoevalcap's BLEU and CIDEr see them: its ROUGE-L keeps `3 1/2` one token."""
    return " ".join(tokens).split() if any("\xa0" in token for token in tokens) else tokens
