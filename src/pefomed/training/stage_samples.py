"""Which samples a stage is trained and validated on, each with its hash: read when it begins, compared after.

`samples.jsonl.gz` in the stage's folder: one line [data set, split, id, hash] for each, by
`data.sample_hash`; some 25 bytes a sample. Copies that are cropped follow from these by the recipe.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.boxes.samples import has_answer
from pefomed.datasets import stream_samples
from pefomed.datasets.stage_splits import used_splits
from pefomed.errors import listed
from pefomed.files.storage import write
from pefomed.images.remembered import hashes
from pefomed.recipe import Recipe, Stage
from pefomed.samples.sample_hash import sample_hash
from pefomed.schema import Sample
from pefomed.training.unreadable import Unreadable

FILE = "samples.jsonl.gz"

Split = tuple[str, str]
"""Data set and split."""
Counted = dict[Split, tuple[int, str]]
"""How many samples, and the SHA-256 over their lines in order."""


@dataclass(frozen=True)
class StageSamples:
    """The samples of a stage as its data hold them now."""

    stage: Stage
    recipe: Recipe
    data_folder: Path | None
    missing: Unreadable

    def __iter__(self) -> Iterator[tuple[Split, Sample]]:
        """Yield every sample with an answer, but those the stage was planned without."""
        for name in sorted(self.stage.data):
            for split in used_splits(self.recipe, self.stage, name):
                found = stream_samples(self.recipe.data[name], split, self.data_folder)
                for sample in self.missing.kept(name, split, found):
                    if has_answer(sample):
                        yield (name, split), sample

    def image_hashes(
        self,
        share: tuple[int, int] = (0, 1),
        exchange: Callable[[dict[str, str]], Iterable[dict[str, str]]] = lambda own: [own],
    ) -> dict[str, str]:
        """Return the content's hash of every image by path, empty where it cannot be read or has been lost.

        Args:
            share: this process's number, and how many there are: each file is read by one of them.
            exchange: takes what this process found and returns what all of them did.
        """
        paths = list(dict.fromkeys(image for _, sample in self for image in sample.images))
        found: dict[str, str] = {}
        for part in exchange(hashes(paths[share[0] :: share[1]])):
            found |= part
        return found | dict.fromkeys(self.missing.lost & found.keys(), "")


def sample_record(
    samples: Iterable[tuple[Split, Sample]], image_hashes: Mapping[str, str]
) -> tuple[Counted, bytes]:
    """Return the counts of each split, and the content of `samples.jsonl.gz`.

    The hash of a sample is empty where an image of it cannot be read.
    """
    digests: dict[Split, Any] = {}
    counts: dict[Split, int] = {}
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for split, sample in samples:
            whole = all(image_hashes[image] for image in sample.images)
            digest = sample_hash(sample, image_hashes.__getitem__) if whole else ""
            line = json.dumps([*split, sample.id, digest]).encode() + b"\n"
            file.write(line)
            digests.setdefault(split, hashlib.sha256()).update(line)
            counts[split] = counts.get(split, 0) + 1
    return {split: (count, digests[split].hexdigest()) for split, count in counts.items()}, packed.getvalue()


def keep(folder: Path, content: bytes) -> None:
    """Write `samples.jsonl.gz` of a stage.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    write(folder / FILE, content)


@dataclass(frozen=True)
class Changes:
    """How the samples of some splits differ from those of before."""

    told: tuple[str, ...] = ()
    """A sentence for each split that holds other samples."""
    reordered: tuple[str, ...] = ()
    """Splits of the same samples in another order."""
    unread: int = 0
    """Samples that could not be compared, as an image of theirs cannot be read."""


def changes(folder: Path, now: bytes, before: Counted, counted: Counted) -> Changes:
    """Compare the record in a stage's folder with what its data hold now."""
    differ = {split for split in before.keys() | counted.keys() if before.get(split) != counted.get(split)}
    if not differ:
        return Changes()
    new = _read(now, differ)
    try:
        old = _read((folder / FILE).read_bytes(), differ)
    except (OSError, EOFError, ValueError, TypeError, zlib.error):
        names = ", ".join(" ".join(split) for split in sorted(differ))
        return Changes((f"{names}: other samples; which is not known, {folder / FILE} cannot be read",))
    told, reordered, unread = [], [], 0
    for split in sorted(differ):
        then, here = old.get(split, {}), new.get(split, {})
        unknown = {name for name, digest in here.items() if not digest and name in then}
        unread += len(unknown)
        kinds = {
            "changed": [name for name in then.keys() & here.keys() - unknown if then[name] != here[name]],
            "new": list(here.keys() - then.keys()),
            "gone": list(then.keys() - here.keys()),
        }
        parts = [f"{len(ids)} {kind} ({listed(sorted(ids))})" for kind, ids in kinds.items() if ids]
        if parts:
            told.append(f"{' '.join(split)}: {', '.join(parts)}")
        elif list(then) != list(here):
            reordered.append(" ".join(split))
    return Changes(tuple(told), tuple(reordered), unread)


def _read(content: bytes, splits: set[Split]) -> dict[Split, dict[str, str]]:
    found: dict[Split, dict[str, str]] = {}
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        for line in file:
            name, split, number, digest = json.loads(line)
            if (name, split) in splits:
                found.setdefault((name, split), {})[number] = digest
    return found
