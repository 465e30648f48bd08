"""Whether answers are of the questions and images that they stand beside; unknown where they do not say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pefomed.errors import RunError, listed, typed
from pefomed.progress import track
from pefomed.runs import RunFolder
from pefomed.runs.folder import run_of
from pefomed.samples.question_hash import question_hash, shown_hash
from pefomed.schema import Prediction, Sample


def check_asked(samples: Iterable[Sample], predictions: Iterable[Prediction], path: Path) -> None:
    """Check that no prediction answers another question than its sample asks.

    Args:
        path: of the predictions.

    Raises:
        RunError: some do; the ids are named.
    """
    asked = {each.sample_id: each.asked for each in predictions if each.asked}
    other = [s.id for s in samples if s.id in asked and question_hash(s) != asked[s.id]]
    _refuse(other, path, "answers to other questions than its samples ask")


def check_shown(samples: Sequence[Sample], predictions: Iterable[Prediction], path: Path) -> None:
    """Check that the images hold what they held when they were answered; those that are not there are not.

    Raises:
        RunError: some hold something else; the ids are named.
    """
    shown = {each.sample_id: each.shown for each in predictions if each.shown}
    told = [sample for sample in samples if sample.id in shown]
    if not told:
        return
    hashes = ((each.id, shown_hash(each)) for each in track(told, "comparing images", unit="samples"))
    other = [sample_id for sample_id, now in hashes if now and now != shown[sample_id]]
    _refuse(other, path, "answers about other images than there are now")


def check_same_shown(
    one: Sequence[Prediction], other: Sequence[Prediction], run: Path, other_run: Path
) -> None:
    """Check that two runs were shown the same images, as far as both say.

    Raises:
        RunError: they were not; the ids are named.
    """
    first = {each.sample_id: each.shown for each in one if each.shown}
    apart = [a.sample_id for a in other if a.shown and first.get(a.sample_id, a.shown) != a.shown]
    if apart:
        raise RunError(
            f"{run} and {other_run} answered about other images",
            found=f"{len(apart)} samples: {listed(apart)}",
            remedy="compare runs that saw the same images: answer again with `pefomed predict`",
        )


def answer_again(run: Path) -> str:
    """Return what to do about answers that do not fit."""
    if RunFolder(run).recipe_file.exists():
        return f"run `pefomed predict {typed(run)}`: it answers again what is asked anew, and keeps the rest"
    return "give the answers again, into another folder: `pefomed evaluate FILE --out DIR`"


def _refuse(sample_ids: Sequence[str], path: Path, what: str) -> None:
    if sample_ids:
        raise RunError(
            f"{path} holds {what}",
            found=f"{len(sample_ids)}: {listed(sample_ids)}",
            remedy=answer_again(run_of(path)),
        )
