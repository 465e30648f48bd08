"""Scores of captions and reports: BLEU, ROUGE-L, CIDEr and METEOR in every preset, for every group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.evaluation.score import Questions, made_score
from pefomed.metrics.captions import meteor
from pefomed.metrics.captions.corpus import FEWEST, FIGURES, TOPS, Corpus, figures_of
from pefomed.metrics.captions.presets import Preset
from pefomed.metrics.known import METRICS
from pefomed.metrics.statistics.interval import figure_intervals
from pefomed.schema import Score


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
        sums: of the answers, see `corpus.item_sums`.
        meteor_sums: METEOR's sums of these answers, see `corpus.all_meteor_sums`; without them no METEOR.
    """
    behind = f"; {how}" if how else ""
    counted = " + ".join(f"{count} {task}s" for task, count in corpus.items.items())
    notes = {
        "cider": f"document frequencies of the {counted} of the split, held fixed in groups and intervals"
    }
    implementations = {
        f"{name}{corpus.preset.suffix}": _implementation(
            f"{name}: {METRICS[name].definition}, as pycocoevalcap 1.2",
            corpus.preset,
            notes.get(name, ""),
            behind,
        )
        for name in FIGURES
    }
    scores = _grouped(questions, sums, figures_of, (TOPS, FEWEST), implementations, system)
    if meteor_sums is None:
        return scores
    says = _implementation(f"meteor: {METRICS['meteor'].definition}", corpus.preset, "", behind)
    name = f"meteor{corpus.preset.suffix}"
    return scores + _grouped(
        questions,
        meteor_sums,
        lambda totals: meteor.meteor(totals)[:, None],
        ((1.0,), (1,)),
        {name: says},
        system,
    )


def _implementation(what: str, preset: Preset, note: str, behind: str) -> str:
    parts = [f"pefomed {__version__}, {what}", f"preset {preset.name}: {preset.tokenizer}", note]
    return "; ".join(part for part in parts if part) + behind


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
