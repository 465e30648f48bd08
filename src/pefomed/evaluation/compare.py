"""Two runs on the same samples: is one better, by how much, and which answers changed (tests: `paired`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pefomed.errors import RunError
from pefomed.evaluation.compare_items import boxes_compared, plugins_compared, words_compared
from pefomed.evaluation.compare_texts import texts_compared
from pefomed.evaluation.compare_verdicts import verdicts_compared
from pefomed.evaluation.item_scores import item_table
from pefomed.evaluation.paired_difference import AnsweredPair, PairedDifference
from pefomed.evaluation.predictions import answered_splits, check_same, read_predictions, read_samples
from pefomed.evaluation.settings import settings_of
from pefomed.evaluation.staleness import check_same_shown
from pefomed.files.storage import usable_paths
from pefomed.runs import Split

__all__ = ["PairedDifference", "compare_runs"]


@usable_paths()
def compare_runs(
    run_a: Path, run_b: Path, *, draws: int | None = None, seed: int | None = None
) -> list[PairedDifference]:
    """Compare two runs' answers, data set by data set, in every metric of the table that has a paired test.

    These are the metrics of words and of boxes with a value for each item, left and right mistaken, the
    figures of texts, and the user's own. Verdicts are compared rater by rater where the same rater judged
    both runs, on what it labelled in both (the majority of its runs for questions, their mean for reports).

    Args:
        draws: sign flips drawn where they cannot be counted, and images left out for an interval at most;
            0 for neither p nor interval. By default `bootstrap` of the recipes, the smaller of the two.
        seed: of both; by default that of the first recipe.

    Raises:
        RunError: the runs answered no data set in common, or other samples or images of it; these
            are named.
        DataError: a record is not valid.
    """
    runs = run_a, run_b
    names, others = answered_splits(run_a), answered_splits(run_b)
    common = [name for name in names if name in others]
    if not common:
        raise RunError(
            f"{run_a} and {run_b} answered no data set in common",
            found=f"{_listed(names)} and {_listed(others)}",
            remedy="compare two runs that predicted the same split of the same data set",
        )
    settings = [settings_of(run) for run in runs]
    draws = min(each.bootstrap for each in settings) if draws is None else draws
    seed = settings[0].seed if seed is None else seed
    differences: list[PairedDifference] = []
    for split in common:
        pair = _read_pair(runs, split, draws, seed)
        for compared in (words_compared, texts_compared, boxes_compared, plugins_compared, verdicts_compared):
            differences += compared(pair)
    return differences


def _read_pair(runs: tuple[Path, Path], split: Split, draws: int, seed: int) -> AnsweredPair:
    samples, others_samples = (read_samples(run, split) for run in runs)
    check_same(samples, others_samples, *runs)
    # A run that was answered before outlines were kept is held against those of the other.
    theirs = {sample.id: sample.masks for sample in others_samples}
    samples = [
        sample if sample.masks else sample.model_copy(update={"masks": theirs[sample.id]})
        for sample in samples
    ]
    first, second = (read_predictions(run, split, samples) for run in runs)
    check_same_shown(first, second, *runs)
    values = [
        item_table(
            run, split, samples, {"model": {each.sample_id: each.text for each in side}}, "words", "boxes"
        )
        for run, side in zip(runs, (first, second), strict=True)
    ]
    return AnsweredPair(
        dataset=split.dataset,
        split=split.name,
        samples=samples,
        runs=runs,
        answers=([each.text for each in first], [each.text for each in second]),
        values=(values[0], values[1]),
        draws=draws,
        seed=seed,
    )


def _listed(names: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{dataset} {split}" for dataset, split in names) or "none"
