"""Agreement of everybody who judged a run: judges, humans, metrics, and the runs of one judge.

Reads samples/, predictions/ and verdicts/ and writes agreement.json as a whole. All human raters of a
run are one panel; each judge stands alone with its runs. Where labels of several are joined, `panels`
says how.
"""

from __future__ import annotations

from pathlib import Path

from pefomed.agreement.comparisons import compare
from pefomed.agreement.panels import levels_of, panels_of
from pefomed.agreement.raters import Labeller, read_labellers
from pefomed.agreement.records import Agreement, Agreements, Levels, Rated
from pefomed.agreement.splits import RatedSplit, read_splits
from pefomed.evaluation.own_metrics import own_metrics
from pefomed.evaluation.predictions import all_samples
from pefomed.evaluation.settings import settings_of
from pefomed.files.storage import usable_paths, write
from pefomed.metrics.lookup import with_plugins
from pefomed.progress import track
from pefomed.runs import RunFolder


@usable_paths()
def write_agreement(run: Path, *, draws: int | None = None, seed: int | None = None) -> Agreements:
    """Write `RUN/agreement.json` and return what it holds; without verdicts a former file is removed.

    Args:
        draws: images left out for an interval at most, 0 for none; by default the recipe's `bootstrap`.
        seed: of the groups of more images; by default the recipe's.

    Raises:
        DataError: a verdict is of no sample of the run or off its scale, or a file is damaged.
        StorageError: the file cannot be written.
    """
    agreements = agreement_of(run, draws=draws, seed=seed)
    if agreements.rated:
        write(RunFolder(run).agreement_file, agreements.model_dump_json(indent=1) + "\n")
    else:
        RunFolder(run).agreement_file.unlink(missing_ok=True)
    return agreements


@usable_paths()
def agreement_of(run: Path, *, draws: int | None = None, seed: int | None = None) -> Agreements:
    """Return who labelled what of `run`, and how far judges, humans and metrics agree; as `write_agreement`.

    Raises:
        DataError: a verdict is of no sample of the run or off its scale, or a file is damaged.
    """
    if not RunFolder(run).verdicts_files():
        return Agreements()
    settings = settings_of(run)
    draws = settings.bootstrap if draws is None else draws
    seed = settings.seed if seed is None else seed
    splits = read_splits(run)
    raters = read_labellers(run, all_samples(run))
    rated: list[Rated] = []
    levels: list[Levels] = []
    agreements: list[Agreement] = []
    with with_plugins(own_metrics(run)):
        for split in track(splits, "agreement of the raters", unit="data sets"):
            present = [_rated(split, rater) for rater in raters]
            rated += [row for row in present if row.items]
            panels = panels_of(split, raters)
            if split.scale == "level":
                levels += [levels_of(split, panel) for panel in panels]
            agreements += compare(split, panels, draws, seed)
    return Agreements(rated=tuple(rated), levels=tuple(levels), agreement=tuple(agreements))


def _rated(split: RatedSplit, rater: Labeller) -> Rated:
    ids = set(split.ids)
    labels = [
        [label for sample_id, label in rater.labels[run].items() if sample_id in ids]
        for run in sorted(rater.labels)
    ]
    given = [[label for label in run if label is not None] for run in labels]
    scored = sum(map(len, given))
    return Rated(
        dataset=split.dataset,
        split=split.split,
        scale=split.scale,
        rater=rater.name,
        title=rater.title,
        kind=rater.kind,
        runs=sum(bool(run) for run in labels),
        items=len(ids & set().union(*rater.labels.values())),
        scored=scored,
        unscored=sum(map(len, labels)) - scored,
        means=tuple(sum(run) / len(run) for run in given if run),
    )
