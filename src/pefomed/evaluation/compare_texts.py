"""Two runs compared in figures of all captions and reports: BLEU, ROUGE-L and CIDEr in every preset."""

from __future__ import annotations

from pefomed.boxes.marks import unmarked, unmarked_answers
from pefomed.evaluation.paired_difference import AnsweredPair, PairedDifference, figure_difference
from pefomed.metrics.captions.corpus import FIGURES, TOPS, corpora, figures_of, text_sums
from pefomed.metrics.statistics.paired import paired_figures
from pefomed.tasks import MARKED, TEXTS


def texts_compared(pair: AnsweredPair) -> list[PairedDifference]:
    """Return the differences of captions, reports, and grounded captions without their marks."""
    places = pair.places([*TEXTS, *MARKED])
    if not places:
        return []
    samples = [unmarked(pair.samples[place]) for place in places]
    differences = []
    for corpus in corpora([sample.references for sample in samples], [sample.task for sample in samples]):
        sums = [
            text_sums(corpus, unmarked_answers([texts[place] for place in places], samples))
            for texts in pair.answers
        ]
        a, b = (figures_of(side.sum(0, keepdims=True))[0].tolist() for side in sums)
        paired = paired_figures(
            sums[0], sums[1], pair.clusters(places), figures_of, tops=TOPS, draws=pair.draws, seed=pair.seed
        )
        differences += [
            figure_difference(pair, f"{name}{corpus.preset.suffix}", len(places), *figures)
            for name, figures in zip(FIGURES, zip(a, b, paired, strict=True), strict=True)
        ]
    return differences
