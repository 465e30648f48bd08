"""Training samples whose images cannot be read: the same ones in every process and after every stop.

The list is made before the steps are planned and kept in the stage's folder. A training that goes on plans
with that list again, even if an image has come back: its steps are what they were. An image that is lost
after the list was made counts against the same limit; its rows keep their places in the plan and are
replaced there by others (see `plan.replaced`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pefomed.boxes.samples import has_answer
from pefomed.datasets import stream_samples
from pefomed.datasets.changed_copies import original
from pefomed.datasets.stage_splits import used_splits
from pefomed.datasets.unreadable import names, unreadable
from pefomed.errors import DataError
from pefomed.files.jsonl import read_object
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.recipe import Dataset, Recipe, Stage
from pefomed.schema import Sample
from pefomed.training import checkpoint
from pefomed.training.log import Log
from pefomed.training.planned import Planned

FILE = checkpoint.PLAN

_REMEDY = "begin the training anew with --fresh: its steps were planned without the samples that it named"


@dataclass(frozen=True)
class Unreadable:
    """What a stage does without."""

    left_out: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Data set -> split -> ids of the samples that the plan was made without: ids, as folders may move."""
    lost: frozenset[str] = frozenset()
    """Paths of images that the plan was made with, and that cannot be read any more."""

    def kept(self, name: str, split: str, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples that the plan is made with."""
        gone = frozenset(self.left_out.get(name, {}).get(split, ()))
        return (sample for sample in samples if sample.id not in gone)

    def touches(self, row: Planned) -> bool:
        """Return whether the row shows an image, or a crop of one, that has been lost."""
        return any(image in self.lost or original(image) in self.lost for image in row.images)


_CONTENT = TypeAdapter(Unreadable)


def find(folder: Path, stage: Stage, recipe: Recipe, data_folder: Path | None, log: Log) -> None:
    """Look at the stage's images in the main process and write `folder/unreadable.json`, if there is need.

    Raises:
        ImageError: a split has more unreadable images than its data set's `max_unreadable`.
        DataError, StorageError: a split cannot be read, or the file not be written.
    """
    _mend(folder)
    # A stage that has a checkpoint and no list was planned with every sample.
    before = read(folder) if (folder / FILE).exists() or checkpoint.exists(folder) else None
    found = Unreadable({} if before is None else before.left_out)
    lost: set[str] = set()
    for name in sorted(stage.data):
        dataset = recipe.data[name]
        for split in used_splits(recipe, stage, name) if dataset.max_unreadable else ():
            # Read again for each pass: a manifest may be larger than the memory.
            bad = unreadable(name, dataset, split, _answered(dataset, split, data_folder))
            images = frozenset(bad)
            if before is None and bad:
                shows = (s for s in _answered(dataset, split, data_folder) if not images.isdisjoint(s.images))
                found.left_out.setdefault(name, {})[split] = sorted(sample.id for sample in shows)
            gone = found.left_out.get(name, {}).get(split, [])
            if not bad and not gone:
                continue
            kept = found.kept(name, split, _answered(dataset, split, data_folder))
            shown = {image for sample in kept for image in images.intersection(sample.images)}
            missed = [image for image in bad if image in shown]
            lost.update(missed)
            text = _text(bad, dataset.max_unreadable, len(gone), missed)
            log.write("event", stage.name, text=f"{name} {split}: {text}", unreadable=bad)
    found = replace(found, lost=frozenset(lost))
    if found != (before or Unreadable()):
        content = {"left_out": found.left_out, "lost": sorted(found.lost)}
        write(folder / FILE, json.dumps(content, indent=1, ensure_ascii=False))


def read(folder: Path) -> Unreadable:
    """Return what `find` wrote; nothing if it had no need to.

    Raises:
        DataError: it is damaged.
    """
    path = folder / FILE
    return _read(path) if path.exists() else Unreadable()


def _read(path: Path) -> Unreadable:
    content = read_object(path, _REMEDY)
    if lacking := {"left_out", "lost"} - content.keys():
        raise DataError(f"{path} is damaged", found=f"no {' and '.join(sorted(lacking))}", remedy=_REMEDY)
    try:
        return _CONTENT.validate_python(content)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]["msg"]
        raise DataError(f"{path} is damaged", found=found, remedy=_REMEDY) from None


def _mend(folder: Path) -> None:
    """Put the list back as the newest checkpoint has it, if it is gone or damaged since.

    Raises:
        DataError: it is damaged, and no checkpoint has a copy.
    """
    path, kept = folder / FILE, checkpoint.copy_of_plan(folder)
    try:
        there = _read(path).left_out if path.exists() else None
    except DataError:
        if kept is None and checkpoint.exists(folder):
            raise
        there = None
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kept is None or there == _read(kept).left_out:
        return
    note(f"{path} is not as it was written; it is taken from {kept.parent.name}")
    write(path, kept.read_bytes())


def _answered(dataset: Dataset, split: str, data_folder: Path | None) -> Iterator[Sample]:
    return (sample for sample in stream_samples(dataset, split, data_folder) if has_answer(sample))


def _text(bad: list[str], most: int, left_out: int, missed: list[str]) -> str:
    text = f"{len(bad)} images cannot be read, {most} may{': ' if bad else ''}{names(bad)}"
    text += f"; {left_out} samples left out"
    if missed:
        text += f"; lost since the stage began, their rows replaced by others: {names(missed)}"
    return text
