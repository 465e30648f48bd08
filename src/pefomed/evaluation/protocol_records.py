"""What each protocol makes of a run's answers: RUN/protocols.jsonl, a line for each split.

The file names the scores that it was written with: beside others nothing of it is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import model_validator

from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.runs import RunFolder
from pefomed.schema import Record, Score


class ProtocolRow(Record):
    """One protocol, of several judges one of them."""

    name: str
    """As in `protocols.known`."""
    judge: str = ""
    scores: tuple[Score, ...]
    """Of every system and figure; the metric is `protocol:` and the name."""
    printed: dict[str, float]
    """Figure -> what the protocol's own code prints, where it has a fault."""
    left_out: tuple[str, ...]
    """Sentences about questions that do not count."""
    differs: str
    """Why its published figures are of other questions; empty where they are of these."""


class Unfit(Record):
    """A protocol that says nothing of the split."""

    name: str
    why: str


class ProtocolSplit(Record):
    """One split of one data set."""

    dataset: str
    split: str
    loader: str
    """What reads the data set, or what it is called where nobody says."""
    rows: tuple[ProtocolRow, ...]
    unfit: tuple[Unfit, ...]
    values: dict[str, tuple[float | None, ...]]
    """Sample id -> what the model's answer is worth in each of `rows`; None where it does not count."""
    scores_hash: str = ""
    """Of the scores.jsonl that it was written with."""

    @model_validator(mode="after")
    def _one_value_each(self) -> ProtocolSplit:
        if any(len(worth) != len(self.rows) for worth in self.values.values()):
            raise ValueError("an answer has not one value for each protocol")
        return self


def write_protocols(run: Path, splits: Sequence[ProtocolSplit]) -> None:
    """Write what protocols say beside the scores that there are; without any a former file is removed.

    Raises:
        StorageError: it cannot be written.
    """
    path = RunFolder(run).protocols_file
    if not splits:
        path.unlink(missing_ok=True)
        return
    digest = _digest(RunFolder(run).scores_file)
    write(path, jsonl.lines(split.model_copy(update={"scores_hash": digest}) for split in splits))


def read_protocols(run: Path) -> tuple[list[ProtocolSplit], bool]:
    """Return what protocols say of the run, and whether there is anything of other scores than those there.

    Raises:
        DataError: the file is damaged.
    """
    found = list(jsonl.read(RunFolder(run).protocols_file, ProtocolSplit))
    if not found:
        return [], False
    scores = RunFolder(run).scores_file
    digest = _digest(scores) if scores.exists() else ""
    fresh = [split for split in found if split.scores_hash == digest]
    return fresh, len(fresh) < len(found)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
