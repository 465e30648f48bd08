"""What a run answered: its samples and predictions, checked to belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pefomed.errors import RunError, listed, typed
from pefomed.evaluation.staleness import answer_again, check_asked
from pefomed.files import jsonl
from pefomed.runs import RunFolder, Split
from pefomed.runs.folder import Way, run_of
from pefomed.schema import Prediction, Sample


def answered_splits(run: Path) -> list[Split]:
    """Return the splits of a run: as its recipe says, or else by its files' names."""
    if recipe := RunFolder(run).read_recipe():
        return [Split(*split) for split in recipe.predict.data.items()]
    return [split for split in RunFolder(run).sampled_splits() if split.name]


def outside_notes(run: Path) -> list[str]:
    """Return what was noticed about somebody else's answers when they were read."""
    notes = jsonl.read_object(RunFolder(run).outside_file, f"delete {run} and evaluate the file again").get(
        "notes"
    )
    return [str(note) for note in notes] if isinstance(notes, list) else []


def all_samples(run: Path) -> list[Sample]:
    """Return the samples of all data sets of a run; those not answered yet are left out."""
    return list(RunFolder(run).read_samples())


def read_samples(run: Path, split: Split) -> list[Sample]:
    """Return the samples of a split that were answered.

    Raises:
        RunError: there are none, or an id occurs twice.
        DataError: a line is not a valid record.
    """
    files = RunFolder(run)
    path, samples = files.samples_file(split), list(files.read_samples(split))
    if not samples:
        raise RunError(f"no samples in {path}", remedy=f"run `pefomed predict {typed(run)}` first")
    doubled = _doubled(sample.id for sample in samples)
    if doubled:
        raise RunError(
            f"{path}: ids occur more than once",
            found=_named_all({"doubled": doubled}),
            remedy=f"delete the file and run `pefomed predict {typed(run)}` again",
        )
    return samples


def read_predictions(
    run: Path, split: Split, samples: Sequence[Sample], *, blind: bool = False, way: Way = ""
) -> list[Prediction]:
    """Return one prediction for each sample, in the samples' order.

    Args:
        blind: whether the predictions must have been made without looking at the image.
        way: how they were found, if not as the run's own.

    Raises:
        RunError: the file is missing, or a sample has no prediction or several, or a prediction
            belongs to no sample, answers another question or is of the other kind; the ids are named.
        DataError: a line is not a valid record.
    """
    path = RunFolder(run).predictions_file(split, blind=blind, way=way)
    predict = f"`pefomed predict {typed(run_of(path))}`"
    if not path.exists():
        raise RunError(f"no predictions at {path}", remedy=f"run {predict} first")
    cut: list[str] = []
    predictions = list(jsonl.read(path, Prediction, on_cut=cut))
    by_id = {prediction.sample_id: prediction for prediction in predictions}
    wanted = dict.fromkeys(sample.id for sample in samples)
    doubled = _doubled(prediction.sample_id for prediction in predictions)
    unknown = [sample_id for sample_id in by_id if sample_id not in wanted]
    missing = [sample_id for sample_id in wanted if sample_id not in by_id]
    mixed = [sample_id for sample_id, prediction in by_id.items() if prediction.blind != blind]
    if doubled or unknown or mixed:
        kind = "not blind" if blind else "blind"
        raise RunError(
            f"{path}: every sample needs exactly one prediction",
            found=_named_all({"doubled": doubled, "of no sample": unknown, "missing": missing, kind: mixed}),
            remedy=f"run {predict} again"
            if not doubled and not mixed
            else f"delete the file and run {predict} again",
        )
    if missing:
        raise RunError(
            f"{path}: {len(missing)} of {len(wanted)} samples have no prediction",
            found="; ".join([_named_all({"missing": missing}), *cut]),
            remedy=f"run {predict} again: it continues where it stopped",
        )
    check_asked(samples, predictions, path)
    return [by_id[sample_id] for sample_id in wanted]


def check_unchanged(answered: Sequence[Sample], data: Sequence[Sample], path: Path) -> None:
    """Check that the answered samples are still those of the data set; image folders may have moved.

    Raises:
        RunError: a sample was changed, removed or added since it was answered; the ids are named.
    """
    now = {sample.id: sample for sample in data}
    then = {sample.id for sample in answered}
    changed = [s.id for s in answered if s.id in now and not _same(s, now[s.id])]
    removed = [s.id for s in answered if s.id not in now]
    added = [sample_id for sample_id in now if sample_id not in then]
    if changed or removed or added:
        raise RunError(
            f"the data set is no longer what was answered in {path}",
            found=_named_all({"changed": changed, "removed": removed, "added": added}),
            remedy=f"restore the data, or {answer_again(run_of(path))}",
        )


def check_same(one: Sequence[Sample], other: Sequence[Sample], run: Path, other_run: Path) -> None:
    """Check that two runs answered the same samples; image folders may differ.

    Raises:
        RunError: a sample is in one only, or differs; the ids are named.
    """
    first, second = ({sample.id: sample for sample in samples} for samples in (one, other))
    differing = {
        f"only in {run}": [sample_id for sample_id in first if sample_id not in second],
        f"only in {other_run}": [sample_id for sample_id in second if sample_id not in first],
        "different": [i for i, sample in first.items() if i in second and not _same(sample, second[i])],
    }
    if any(differing.values()):
        raise RunError(
            f"{run} and {other_run} did not answer the same samples",
            found=_named_all(differing),
            remedy="compare runs that answered the same split of the same data",
        )


def check_own_ids(named: Iterable[tuple[str, str]], run: Path) -> None:
    """Check that no id stands in two data sets: verdicts name a sample by its id alone.

    Args:
        named: `(sample id, name of its data set)` of each sample that gets a verdict.

    Raises:
        RunError: an id does.
    """
    seen: dict[str, str] = {}
    for sample_id, dataset in named:
        other = seen.setdefault(sample_id, dataset)
        if other != dataset:
            raise RunError(
                f"{run}: verdicts name a sample by its id alone, so ids must differ between data sets",
                found=f"{sample_id} in {other} and in {dataset}",
                remedy="give the samples of one data set other ids, or put it into a run of its own",
            )


def _same(one: Sample, other: Sample) -> bool:
    fields = ("task", "question", "reference", "further_references", "boxes", "meta")
    return len(one.images) == len(other.images) and all(
        getattr(one, field) == getattr(other, field) for field in fields
    )


def _doubled(ids: Iterable[str]) -> list[str]:
    return [sample_id for sample_id, count in Counter(ids).items() if count > 1]


def _named_all(ids_of: Mapping[str, Sequence[str]]) -> str:
    """Return `2 missing: a, b; 1 doubled: c`."""
    return "; ".join(f"{len(ids)} {what}: {listed(ids)}" for what, ids in ids_of.items() if ids)
