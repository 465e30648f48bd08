"""The verdicts of judges and human raters, read strictly.

RUN/verdicts/<rater>.jsonl holds a rater's verdicts, <rater>.card.json beside it says what the rater is.
A label is 0 or 1 for a question, 0 to 4 for a caption or report; a failed judgement has none: it is
counted apart and never stands for 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pefomed.errors import DataError, listed
from pefomed.evaluation.verdict_hash import check_judged
from pefomed.files import jsonl
from pefomed.runs import RunFolder
from pefomed.runs.folder import card_of
from pefomed.schema import Sample, Verdict
from pefomed.tasks import HIGHEST, TASKS

RaterKind = Literal["llm-judge", "offline-judge", "model-rater", "human"]

RATER_KINDS: dict[RaterKind, str] = {
    "llm-judge": "judge", "offline-judge": "offline_judge", "model-rater": "model_rater", "human": "human",
}  # fmt: skip
"""What a rater can be, and what its scores are called. A model rater is a language model in a
rating session."""

RATING: tuple[RaterKind, ...] = ("model-rater", "human")
"""Those who rate in a session, where answers called right and wrong are drawn in shares of their own."""
_NAMED = 5  # verdicts an error names


@dataclass(frozen=True)
class RaterVerdicts:
    """A judge or a person, and what they said."""

    name: str
    kind: RaterKind
    verdicts: list[Verdict]
    path: Path


def read_raters(run: Path, samples: Sequence[Sample], on_cut: list[str] | None = None) -> list[RaterVerdicts]:
    """Return everybody who judged answers of `run`, by file name; no verdict is of another answer.

    Args:
        samples: all samples of the run; verdicts about others are refused.
        on_cut: gets a sentence for every last line that a killed writer left unfinished, for a file with
            fewer verdicts than its card says, and for one without card, which stands for a judge.

    Raises:
        RunError: verdicts are of texts that have changed since; the file and the ids are named.
        DataError: a verdict is about no sample, given twice for the same run, or off its task's
            scale, or a file mixes raters or has a damaged card; the file and the ids are named.
    """
    tasks = {sample.id: sample.task for sample in samples}
    paths = RunFolder(run).verdicts_files()
    raters = [_read_rater(path, tasks, on_cut) for path in paths]
    check_judged(run, samples, raters)
    return [rater for rater in raters if rater.verdicts]


def labels_by_sample(rater: RaterVerdicts, *, majority: bool) -> dict[str, float]:
    """Return one label for every sample the rater labelled: the majority of its runs, or their mean.

    As many 1 as 0 give 0.5.
    """
    given: dict[str, list[int]] = {}
    for verdict in rater.verdicts:
        if verdict.label is not None:
            given.setdefault(verdict.sample_id, []).append(verdict.label)
    means = {sample_id: sum(labels) / len(labels) for sample_id, labels in given.items()}
    if not majority:
        return means
    return {sample_id: 0.5 if mean == 0.5 else float(mean > 0.5) for sample_id, mean in means.items()}


def _read_rater(path: Path, tasks: Mapping[str, str], on_cut: list[str] | None) -> RaterVerdicts:
    verdicts = list(jsonl.read(path, Verdict, on_cut=on_cut))
    unknown = [verdict.sample_id for verdict in verdicts if verdict.sample_id not in tasks]
    _refuse(
        path, "about no sample of this run", list(dict.fromkeys(unknown)),
        "judge again, take them out, or put the file into the run whose answers were judged",
    )  # fmt: skip
    seen = Counter((verdict.sample_id, verdict.run) for verdict in verdicts)
    doubled = [f"{sample_id} (run {run})" for (sample_id, run), count in seen.items() if count > 1]
    _refuse(path, "given more than once in the same run", doubled, "keep one line for each sample and run")
    off_scale = [
        f"{verdict.sample_id} ({tasks[verdict.sample_id]}: {verdict.label})"
        for verdict in verdicts
        if verdict.label is not None and verdict.label not in _labels(tasks[verdict.sample_id])
    ]
    _refuse(
        path, "off the scale", off_scale,
        "questions have the labels 0 and 1, captions and reports 0 to 4, other tasks none; a failed"
        " judgement has the label null",
    )  # fmt: skip
    names = list(dict.fromkeys(verdict.rater for verdict in verdicts))
    if len(names) > 1:
        raise DataError(
            f"{path} holds the verdicts of several raters",
            found=", ".join(names[:_NAMED]),
            remedy="put each rater's verdicts into a file of their own",
        )
    kind, counted = _card(card_of(path))
    if on_cut is not None and kind is None:
        on_cut.append(f"{path} has no card beside it: {path.stem} is taken for a judge")
    if on_cut is not None and len(verdicts) < counted:
        on_cut.append(f"{path} holds {len(verdicts)} verdicts, and its card speaks of {counted}")
    return RaterVerdicts(names[0] if names else path.stem, kind or "llm-judge", verdicts, path)


def _refuse(path: Path, what: str, named: Sequence[str], remedy: str) -> None:
    if named:
        raise DataError(
            f"{path}: {len(named)} verdicts are {what}",
            found=listed(named),
            remedy=remedy,
        )


def _card(card: Path) -> tuple[RaterKind | None, int]:
    """Return what the card says the rater is, and of how many verdicts; without a card None and 0."""
    if not card.exists():
        return None, 0
    about = jsonl.read_object(card, "delete it or write it again")
    counts, kind = about.get("counts"), about.get("kind")
    given = [counts.get(name) for name in ("scored", "unscored")] if isinstance(counts, dict) else []
    for known in RATER_KINDS:
        if kind == known:
            return known, sum(count for count in given if isinstance(count, int))
    raise DataError(
        f"{card}: unknown kind of rater", found=repr(kind), remedy=f"known: {', '.join(RATER_KINDS)}"
    )


def _labels(task: str) -> range:
    """Return the labels there are for answers to a task, none for those that are not judged."""
    scale = TASKS[task].scale
    return range(HIGHEST[scale] + 1 if scale else 0)
