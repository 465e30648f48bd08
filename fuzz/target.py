"""One reader to be fuzzed, and the property that each of them must have."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzz.guard import guarded
from pefomed.errors import PefomedError


@dataclass(frozen=True)
class Target:
    """A reader, and whole files of its kind to start from."""

    files: tuple[str, ...]
    """The names that the bytes are written under, relative to a folder of their own."""
    read: Callable[[Path], object]
    """Reads what stands in that folder; each name in turn where there are several."""
    seeds: Callable[[], Sequence[bytes]]
    """Whole files, made by code."""
    words: tuple[bytes, ...] = ()
    """Words of the format, which chance would take long to find."""


def check(target: Target, data: bytes) -> PefomedError | None:
    """Write `data` under the target's names in a folder and read it; return the error of ours, if any.

    Any other exception is a finding, and so is what `guarded` forbids.
    """
    with tempfile.TemporaryDirectory(prefix="pefomed-fuzz-") as made:
        folder = Path(made)
        for name in target.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        try:
            with guarded(folder):
                target.read(folder)
        except PefomedError as error:
            return error
    return None


def each(files: Sequence[str], read: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a reader of a folder that reads each of `files`; it fails if none of them can be read."""

    def read_all(folder: Path) -> None:
        errors = []
        for name in files:
            try:
                read(folder / name)
            except PefomedError as error:
                errors.append(error)
        if len(errors) == len(files):
            raise errors[0]

    return read_all
