"""The answers of a run to its samples asked otherwise, checked to belong to the answers that are scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pefomed.answers.card import differing
from pefomed.errors import RunError, listed, typed
from pefomed.evaluation.predictions import read_predictions
from pefomed.evaluation.staleness import check_shown
from pefomed.probes.absent import ENDING
from pefomed.probes.known import PROBES
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder, Split
from pefomed.schema import Sample


class Asked(NamedTuple):
    """A sample as a probe asked it, and what was answered."""

    sample: Sample
    text: str


def read_probes(
    run: Path, split: Split, samples: Sequence[Sample], recipe: Recipe | None
) -> dict[str, dict[str, Asked]]:
    """Return probe -> id of the sample asked -> what was asked and answered; of those that were answered.

    Raises:
        RunError: the recipe asks for a probe that was not answered, an answer is missing or of another
            question or picture, a probe was answered about other samples, or by another adapter, model or
            prompt.
        DataError: a record is not valid.
    """
    wanted = recipe.predict.probes if recipe else ()
    known = {sample.id for sample in samples}
    found: dict[str, dict[str, Asked]] = {}
    for probe in PROBES:
        files = RunFolder(run).probe(probe)
        if not files.samples_file(split).exists():
            if probe in wanted:
                raise RunError(
                    f"the probe {probe!r} of {split.stem} was not answered",
                    found=f"no {files.samples_file(split)}",
                    remedy=f"run `pefomed predict {typed(run)}`, or take it out of `predict.probes`",
                )
            continue
        asked = list(files.read_samples(split))
        if not asked:
            continue
        if gone := [one.id for one in asked if one.id.removesuffix(ENDING) not in known]:
            raise RunError(
                f"{files.samples_file(split)} is of other samples than the run answered",
                found=f"{len(gone)}: {listed(gone)}",
                remedy=_again(run, files),
            )
        predictions = read_predictions(files.path, split, asked)
        path = files.predictions_file(split)
        check_shown(asked, predictions, path)
        if apart := differing(RunFolder(run).predictions_file(split), path):
            raise RunError(
                f"{path} holds answers that came about in another way than those of the run",
                found=listed(apart, "; ", most=8),
                remedy=_again(run, files),
            )
        found[probe] = {
            one.id: Asked(one, answer.text) for one, answer in zip(asked, predictions, strict=True)
        }
    return found


def _again(run: Path, files: RunFolder) -> str:
    return f"remove {files.path}, and run `pefomed predict {typed(run)}` again"
