"""Damaged folders of runs, weights, adapters under every command that reads them: `python -m fuzz.folders`.

A command on a folder with one file spoilt ends as on the whole one, or in an error of ours. What nothing can
tell may pass: another number in weights without checksums, another word in a text that anybody may edit.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz.folder_damage import kinds, restore, spoil
from fuzz.folder_readers import READERS, Reader
from fuzz.world import RUNS, World, make
from pefomed.cli.app import _explained

LONGEST = 120
"""Most seconds of the processor that one command may take: a busy machine is no fault."""
MEMORY = 12 * 2**30
"""Most bytes of address space."""
NOBODY = 65534

FAULT, SILENT, OTHER, REFUSED, SAME = "FAULT", "SILENT", "other", "refused", "same"
"""Ends of a command: not by an error of ours; another result where that can be known; another result where it
cannot; an error of ours; the same result."""

_SEALED = ("adapter", "checkpoints", "adapter.pth")
_WEIGHTS = (".safetensors", ".index.json")


@dataclass(frozen=True)
class Try:
    """What was done to a file, and how the command ended."""

    reader: str
    file: Path
    """Relative to the world."""
    how: str
    end: str
    told: str = ""

    def __str__(self) -> str:
        return f"{self.end}: {self.reader}, {self.file}, {self.how}\n{self.told}".rstrip()


@dataclass
class Folders:
    """A world, and what every command makes of it whole."""

    world: World
    whole: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept = self.world.root / "kept"
        for run in RUNS:
            shutil.copytree(self.world.root / run, self._kept / run)
        _open_to_all(self.world.root)

    def files(self, reader: Reader) -> list[Path]:
        """Return what the command reads."""
        found = []
        for name in reader.reads:
            path = self.world.root / name
            found += [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        return found

    def random_try(self, names: Sequence[str], seed: int) -> Try:
        """Spoil one file of one command at random."""
        chance = random.Random(seed)
        name = chance.choice(names)
        file = chance.choice(self.files(READERS[name]))
        return self.tried(name, file, chance.choice(kinds(file)), chance)

    def tried(self, name: str, file: Path, kind: str, chance: random.Random) -> Try:
        """Spoil one file, run the command `name`, and put everything back."""
        whole, reader, data = self._result(name), READERS[name], file.read_bytes()
        others = [one for one in self.files(reader) if one != file]
        how = spoil(file, kind, others, chance)
        place = file.relative_to(self.world.root)
        try:
            with _limited(), _as_nobody(kind == "closed"), contextlib.redirect_stderr(io.StringIO()):
                found = reader.read(self.world)
        except (Exception, TooLong) as error:
            said = _explained(error)
            if said is not None:
                return Try(name, place, how, REFUSED, str(said))
            return Try(name, place, how, FAULT, "".join(traceback.format_exception(error)))
        finally:
            self._back(reader)
            file.parent.mkdir(parents=True, exist_ok=True)
            restore(file, data)
            _open_to_all(self.world.root / (reader.run or file.parent))
        if _equal(found, whole):
            return Try(name, place, how, SAME)
        return Try(name, place, how, SILENT if _is_told(place, kind) else OTHER)

    def _result(self, name: str) -> Any:
        if name not in self.whole:
            self.whole[name] = READERS[name].read(self.world)
            self._back(READERS[name])
        return self.whole[name]

    def _back(self, reader: Reader) -> None:
        if reader.run:
            shutil.rmtree(self.world.root / reader.run)
            shutil.copytree(self._kept / reader.run, self.world.root / reader.run)


class TooLong(BaseException):
    """A command that does not end."""


def _is_told(file: Path, kind: str) -> bool:
    """Return whether what was done can be known from what is left: by checksums, or as it is not whole."""
    if any(part in _SEALED for part in file.parts):
        return True
    return file.name.endswith(_WEIGHTS) and kind in ("missing", "empty", "cut", "folder", "closed", "nan")


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLong(f"more than {LONGEST} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def _as_nobody(wanted: bool) -> Iterator[None]:
    """Be nobody within the block: to root no file is closed."""
    if not wanted or os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _open_to_all(folder: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one, default=repr) == json.dumps(other, default=repr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Spoil files at random until the time is over; return the exit code: 0, or 1 with findings."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.folders", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="60 by default")
    parser.add_argument("--seed", type=int, default=None, help="of the first try; the others count on")
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS), metavar="NAME")
    parser.add_argument("--log", type=Path, help="where every try is told")
    chosen = parser.parse_args(arguments)
    seed = random.randrange(2**31) if chosen.seed is None else chosen.seed
    print(f"folders: seed {seed}", flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="pefomed-folders-") as made:
        os.chmod(made, 0o777)
        os.environ["PEFOMED_CACHE"] = str(Path(made) / "cache")
        os.environ["PEFOMED_METEOR_JAR"] = "off"
        folders = Folders(make(Path(made) / "world"))
        end = time.monotonic() + chosen.seconds
        while time.monotonic() < end:
            tried = folders.random_try(chosen.only, seed + ends.total())
            if tried.end in (FAULT, SILENT):
                print(f"seed {seed + ends.total()} {tried}", flush=True)
            if chosen.log:
                with chosen.log.open("a") as log:
                    print(f"seed {seed + ends.total()} {tried}", file=log)
            ends[tried.end] += 1
    print(", ".join(f"{count} {name}" for name, count in sorted(ends.items())))
    return bool(ends[FAULT] + ends[SILENT])


if __name__ == "__main__":
    sys.exit(main())
