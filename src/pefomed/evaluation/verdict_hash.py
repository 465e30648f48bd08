"""Whether a verdict is of the answer that is there now: it carries a hash of the texts it was given for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pefomed.errors import RunError, listed, typed
from pefomed.files import jsonl
from pefomed.metrics.references import Reference, shown
from pefomed.runs import RunFolder
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Prediction, Sample

if TYPE_CHECKING:
    from pefomed.evaluation.verdicts import RaterVerdicts

_JUDGED_AGAIN = {
    "llm-judge": "run `pefomed judge {run}` again as {name}: only what is new is asked",
    "offline-judge": "run `pefomed judge {run} --offline` again",
}
_RATED = (
    "people saw what was there before: restore those answers, or move {path} away; new answers are rated in"
    " another run's folder"
)


def judged_hash(question: str, references: Reference, answer: str) -> str:
    """Return the hash of what a judge or a person is told: question, references, answer."""
    return short_hash(question, shown(references), answer)


def check_judged(run: Path, samples: Sequence[Sample], raters: Sequence[RaterVerdicts]) -> None:
    """Check that verdicts are of the answers, questions and references that there are now.

    Raises:
        RunError: some are of others; the file and the ids are named.
        DataError: a prediction is not valid.
    """
    if not any(verdict.judged for rater in raters for verdict in rater.verdicts):
        return
    now, shown = _hashes(run, samples)
    for rater in raters:
        stale = [
            v.sample_id
            for v in rater.verdicts
            if (v.judged and v.judged != now.get(v.sample_id))
            or (v.shown and v.shown != shown.get(v.sample_id, v.shown))
        ]
        if stale:
            named = list(dict.fromkeys(stale))
            remedy = _JUDGED_AGAIN.get(rater.kind, _RATED)
            raise RunError(
                f"{rater.path}: {len(stale)} verdicts are of what has changed since",
                found=f"question, reference, answer or image of {len(named)}: {listed(named)}",
                remedy=remedy.format(run=typed(run), name=rater.name, path=rater.path),
            )


def _hashes(run: Path, samples: Sequence[Sample]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return what a verdict of now would carry about texts and images, by the id of an answered sample."""
    paths = RunFolder(run).predictions_files()
    answers = {each.sample_id: each for path in paths for each in jsonl.read(path, Prediction)}
    judged = {
        sample.id: judged_hash(sample.question, sample.references, answers[sample.id].text)
        for sample in samples
        if sample.id in answers
    }
    return judged, {sample_id: each.shown for sample_id, each in answers.items() if each.shown}
