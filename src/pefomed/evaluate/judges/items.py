"""What of a run a judge is asked about: each answered question, report and caption, with its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pefomed import jsonl, recipe
from pefomed.errors import RunError, typed
from pefomed.evaluate import predicted
from pefomed.evaluate.judged import judged_hash
from pefomed.evaluate.judges.prompts import SCALES, Pair
from pefomed.schema import Sample


@dataclass(frozen=True)
class Item:
    """One answer to judge."""

    sample_id: str
    dataset: str
    """The name of its files, `<dataset>-<split>`."""
    task: str
    pair: Pair

    @property
    def judged(self) -> str:
        """What the verdict carries: a hash of the texts it is of."""
        pair = self.pair
        return judged_hash(pair.question, (pair.reference, *pair.further), pair.answer)


def read_items(run: Path, only: str | None = None) -> list[Item]:
    """Return the answers of `run` that can be judged, in the order of its files.

    Args:
        only: `vqa`, or `report` for reports and captions; by default all of them.

    Raises:
        RunError: nothing is answered, nothing of what is asked for can be judged, samples and predictions do
            not belong together, or an id occurs in two data sets.
    """
    files = sorted((run / "samples").glob("*.jsonl"))
    if not files:
        raise RunError(f"no samples in {run / 'samples'}", remedy=f"run `pefomed predict {typed(run)}` first")
    items: list[Item] = []
    tasks: set[str] = set()
    for path in files:
        samples = predicted.read_samples(path)
        tasks |= {sample.task for sample in samples}
        if not any(_wanted(sample.task, only) for sample in samples):
            continue
        answers = predicted.read_predictions(run / "predictions" / path.name, samples)
        items += [
            Item(
                sample.id,
                path.stem,
                sample.task,
                Pair(
                    SCALES[sample.task],
                    sample.question,
                    sample.reference,
                    answer.text,
                    sample.further_references,
                ),
            )
            for sample, answer in zip(samples, answers, strict=True)
            if _wanted(sample.task, only)
        ]
    if not items:
        raise RunError(
            f"{run} has nothing to judge" + (f" with --only {only}" if only else ""),
            found=f"samples of the task {', '.join(sorted(tasks))}",
            remedy=f"judges take {', '.join(SCALES)}",
        )
    predicted.check_own_ids(((item.sample_id, item.dataset) for item in items), run)
    return items


def other_sample_ids(run: Path, items: Sequence[Item]) -> set[str]:
    """Return the ids of the run's samples that are not among `items`."""
    ids = {s.id for path in (run / "samples").glob("*.jsonl") for s in jsonl.read(path, Sample)}
    return ids - {item.sample_id for item in items}


def datasets_of(run: Path, items: Sequence[Item]) -> dict[str, str]:
    """Return the data set's name of each file stem: `slake-test` is `slake` where the recipe names it."""
    path = run / "recipe.toml"
    splits = recipe.load(path).predict.data if path.is_file() else {}
    known = {f"{dataset}-{split}": dataset for dataset, split in splits.items()}
    return {stem: known.get(stem, stem) for stem in dict.fromkeys(item.dataset for item in items)}


def _wanted(task: str, only: str | None) -> bool:
    return task in SCALES and (only is None or (only == "vqa") == (task == "vqa"))
