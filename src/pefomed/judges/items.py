"""What of a run a judge is asked about: each answered question, report and caption, with its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pefomed.errors import RunError, typed
from pefomed.evaluation.predictions import check_own_ids, read_predictions, read_samples
from pefomed.evaluation.verdict_hash import judged_hash
from pefomed.judges.prompts import JudgedPair
from pefomed.runs import RunFolder, Split
from pefomed.schema import Prediction, Sample
from pefomed.tasks import JUDGED, LABELLED, TASKS, Scale


@dataclass(frozen=True)
class JudgeItem:
    """One answer to judge."""

    sample_id: str
    split: Split
    task: str
    pair: JudgedPair

    @property
    def judged(self) -> str:
        """What the verdict carries: a hash of the texts it is of."""
        pair = self.pair
        return judged_hash(pair.question, (pair.reference, *pair.further), pair.answer)


def read_items(run: Path, only: str | None = None) -> list[JudgeItem]:
    """Return the answers of `run` that can be judged, in the order of its files.

    Args:
        only: `vqa`, or `report` for reports and captions; by default all of them.

    Raises:
        RunError: nothing is answered, nothing of what is asked for can be judged, samples and predictions do
            not belong together, or an id occurs in two data sets.
    """
    splits = RunFolder(run).sampled_splits()
    if not splits:
        raise RunError(
            f"no samples in {RunFolder(run).samples}", remedy=f"run `pefomed predict {typed(run)}` first"
        )
    items: list[JudgeItem] = []
    tasks: set[str] = set()
    for split in splits:
        samples = read_samples(run, split)
        tasks |= {sample.task for sample in samples}
        if not any(_scale(sample.task, only) for sample in samples):
            continue
        answers = read_predictions(run, split, samples)
        items += [
            JudgeItem(sample.id, split, sample.task, _pair(scale, sample, answer))
            for sample, answer in zip(samples, answers, strict=True)
            if (scale := _scale(sample.task, only))
        ]
    if not items:
        raise RunError(
            f"{run} has nothing to judge" + (f" with --only {only}" if only else ""),
            found=f"samples of the task {', '.join(sorted(tasks))}",
            remedy=f"judges take {', '.join(JUDGED)}",
        )
    check_own_ids(((item.sample_id, item.split.stem) for item in items), run)
    return items


def other_sample_ids(run: Path, items: Sequence[JudgeItem]) -> set[str]:
    """Return the ids of the run's samples that are not among `items`."""
    ids = {sample.id for sample in RunFolder(run).read_samples()}
    return ids - {item.sample_id for item in items}


def _scale(task: str, only: str | None) -> Scale | None:
    """Return the scale that answers to a task are judged on, None for those that are not wanted."""
    wanted = JUDGED if only is None else LABELLED[only]
    return TASKS[task].scale if task in wanted else None


def _pair(scale: Scale, sample: Sample, answer: Prediction) -> JudgedPair:
    return JudgedPair(scale, sample.question, sample.reference, answer.text, sample.further_references)
