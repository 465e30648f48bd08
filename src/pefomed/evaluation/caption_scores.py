"""Scores of captions and reports: BLEU, ROUGE-L, CIDEr and METEOR in every preset, for every group."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.evaluation.score import Questions, made_score
from pefomed.metrics.captions import bleu, meteor
from pefomed.metrics.captions.pairs import Numbered
from pefomed.metrics.captions.presets import PRESETS, Preset
from pefomed.metrics.captions.rouge import rouge_l
from pefomed.metrics.known import METRICS as KNOWN
from pefomed.metrics.references import Reference, each_of
from pefomed.metrics.statistics.interval import figure_intervals
from pefomed.progress import track
from pefomed.schema import Score

METRICS = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider")
"""Without METEOR, which needs Java; names end as their preset says, e.g. in `_r2gen`."""

TOPS = tuple(KNOWN[name].most for name in METRICS)
"""The largest value of each of them; the least is 0."""

FEWEST = tuple(KNOWN[name].fewest for name in METRICS)
"""Items below which there is no interval: of values as skewed as CIDEr's none is true (see `benchmarks`)."""

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
    made = []
    for preset in PRESETS.values():
        flat = iter(tokens_of(preset, [text for several in texts for text in several]))
        tokens = [[next(flat) for _ in several] for several in texts]
        numbered = Numbered([[_split(one) for one in several] for several in tokens], tasks)
        made.append(Corpus(preset, tokens, numbered, dict(Counter(tasks))))
    return made


def caption_scores(
    questions: Questions,
    corpus: Corpus,
    sums: NDArray[np.float64],
    system: str,
    how: str = "",
    meteor_sums: NDArray[np.float64] | None = None,
) -> list[Score]:
    """Return every metric of one preset for every group; `how` says how the answers came about.

    Args:
        sums: of the answers, see `item_sums`.
        meteor_sums: METEOR's sums of these answers, see `all_meteor_sums`; without them no METEOR.
    """
    made = f"; {how}" if how else ""
    counted = " + ".join(f"{count} {task}s" for task, count in corpus.items.items())
    notes = {
        "cider": f"document frequencies of the {counted} of the split, held fixed in groups and intervals"
    }
    implementations = {
        f"{name}{corpus.preset.suffix}": _implementation(
            f"{name}: {KNOWN[name].definition}, as pycocoevalcap 1.2",
            corpus.preset,
            notes.get(name, ""),
            made,
        )
        for name in METRICS
    }
    scores = _grouped(questions, sums, figures_of, (TOPS, FEWEST), implementations, system)
    if meteor_sums is None:
        return scores
    says = _implementation(f"meteor: {KNOWN['meteor'].definition}", corpus.preset, "", made)
    name = f"meteor{corpus.preset.suffix}"
    return scores + _grouped(
        questions,
        meteor_sums,
        lambda totals: meteor.meteor(totals)[:, None],
        ((1.0,), (1,)),
        {name: says},
        system,
    )


def meteor_or_why(
    made: Sequence[Corpus], answers: Sequence[Sequence[str]]
) -> tuple[Sequence[Sequence[NDArray[np.float64] | None]], str]:
    """Return METEOR's sums by preset and system; where there is no METEOR None for each, and why."""
    program = meteor.find()
    why = program if isinstance(program, str) else ""
    if not isinstance(program, str):
        try:
            return all_meteor_sums(made, answers, program), ""
        except meteor.MeteorFailed as failure:
            why = str(failure)
    return [[None] * len(answers)] * len(made), why


def all_meteor_sums(
    made: Sequence[Corpus], answers: Sequence[Sequence[str]], program: meteor.Program
) -> list[list[NDArray[np.float64]]]:
    """Return METEOR's sums for every preset and every system's answers, by a single start of the program.

    Raises:
        MeteorFailed: the program gave no result.
    """
    candidates: list[str] = []
    references: list[list[str]] = []
    for corpus in made:
        for texts in answers:
            candidates += [" ".join(tokens) for tokens in tokens_of(corpus.preset, texts)]
            references += [[" ".join(tokens) for tokens in several] for several in corpus.references]
    sums = meteor.statistics(candidates, references, program)
    parts = iter(np.split(sums, len(made) * len(answers)))
    return [[next(parts) for _ in answers] for _ in made]


def item_sums(corpus: Corpus, tokens: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return what the figures are functions of: BLEU's ten sums, ROUGE-L, CIDEr and 1; shape (N, 13)."""
    sums = np.ones((len(tokens), _ITEMS + 1))
    counted = corpus.numbered.sums([_split(one) for one in tokens])
    sums[:, :_ROUGE], sums[:, _CIDER] = counted[:, :_ROUGE], counted[:, _ROUGE]
    pairs = zip(tokens, corpus.references, strict=True)
    for place, (answer, several) in enumerate(track(pairs, "ROUGE-L", len(tokens))):
        sums[place, _ROUGE] = rouge_l(answer, several)
    return sums


def figures_of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the METRICS, shape (D, 6), of totals, shape (D, 13)."""
    means = totals[:, _ROUGE:_ITEMS] / totals[:, _ITEMS:]
    return np.concatenate((bleu.bleu(totals[:, :_ROUGE]), means), axis=1)


def tokens_of(preset: Preset, texts: Sequence[str]) -> list[list[str]]:
    made: dict[str, list[str]] = {}
    for text in texts:
        if text not in made:
            # A letter and its accent are one character or two, as the keyboard had it.
            made[text] = preset.tokens(unicodedata.normalize("NFC", text))
    return [made[text] for text in texts]


def _split(tokens: Sequence[str]) -> Sequence[str]:
    """Return the tokens as pycocoevalcap's BLEU and CIDEr see them: its ROUGE-L keeps `3 1/2` one token."""
    return " ".join(tokens).split() if any("\xa0" in token for token in tokens) else tokens


def _implementation(what: str, preset: Preset, note: str, made: str) -> str:
    parts = [f"pefomed {__version__}, {what}", f"preset {preset.name}: {preset.tokenizer}", note]
    return "; ".join(part for part in parts if part) + made


def _grouped(
    questions: Questions,
    sums: NDArray[np.float64],
    figures: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    limits: tuple[Sequence[float], Sequence[int]],
    implementations: Mapping[str, str],
    system: str,
) -> list[Score]:
    scores = []
    for group, places in questions.groups.items():
        values = figures(sums[places].sum(0, keepdims=True))[0]
        intervals = figure_intervals(
            sums[places],
            questions.clusters[places],
            figures,
            tops=limits[0],
            fewest=limits[1],
            draws=questions.draws,
            seed=questions.seed,
            by=questions.by,
        )
        for (name, implementation), value, interval in zip(
            implementations.items(), values.tolist(), intervals, strict=True
        ):
            scores.append(
                made_score(questions, name, system, group, value, interval, len(places), implementation)
            )
    return scores
