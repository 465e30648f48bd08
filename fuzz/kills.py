"""A run of two stages killed at random points, with and without another process at its door: `make kill`.

However often it is killed, the run ends with the bytes of one that never was: adapter, checkpoints, answers,
scores, the log's steps; and nothing half written is left. Half of the kills come at a file operation (the
middle of a checkpoint, a rename), half at any moment.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fuzz.world import written_recipe
from pefomed.errors import RunError
from pefomed.workflow.pipeline import finish, train_recipe

_OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link")
_LONGEST = 1800.0
"""Seconds that a run may take on a busy machine."""


class Killed:
    """Runs in `folder`, each a child of this process, which has imported everything already."""

    def __init__(self, folder: Path, seed: int, say: Callable[[str], None] = print):
        self.folder, self.chance, self.say = folder, random.Random(seed), say
        self.recipe = written_recipe(folder)
        self.kills = 0
        begun = time.monotonic()
        count = self._child(folder / "whole", count_to=folder / "count")
        self._ended(count)
        self.seconds = time.monotonic() - begun
        self.operations = int((folder / "count").read_text())
        self.whole = kept(folder / "whole")

    def once(self, most: int) -> list[str]:
        """Kill one run up to `most` times until it ends, and return what is not as in the whole one."""
        run, before = self.folder / "run", self.kills
        shutil.rmtree(run, ignore_errors=True)
        while self.kills - before < most:
            rival = self._child(run, waits=True) if self.chance.random() < 0.4 else None
            if self._killed(run) and rival is None:
                continue
            if rival is not None:
                if self.kills - before < most and self.chance.random() < 0.5:
                    time.sleep(self.chance.random() * self.seconds / 2)
                    if _alive(rival):
                        os.kill(rival, signal.SIGKILL)
                    self.kills += _wait(rival) == -signal.SIGKILL
                    continue
                self._ended(rival)
            break
        self._ended(self._child(run))
        return differences(kept(run), self.whole) + left_behind(run)

    def _killed(self, run: Path) -> bool:
        """Start a run and kill it somewhere; return whether that was before its end."""
        if self.chance.random() < 0.5:
            code = _wait(self._child(run, kill_at=self.chance.randrange(1, 3 * self.operations // 4)))
        else:
            child = self._child(run)
            time.sleep(self.chance.random() * self.seconds / 2)
            os.kill(child, signal.SIGKILL)  # a child that has ended is there until it is waited for
            code = _wait(child)
        if code not in (0, -signal.SIGKILL, _BUSY):
            raise AssertionError(f"a run ended with {code}: {(self.folder / 'said').read_text()[-2000:]}")
        self.kills += code == -signal.SIGKILL
        return code == -signal.SIGKILL

    def _ended(self, child: int) -> None:
        if (code := _wait(child)) != 0:
            raise AssertionError(f"a run ended with {code}: {(self.folder / 'said').read_text()[-2000:]}")

    def _child(self, run: Path, **how: Any) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        self._work(run, **how)

    def _work(
        self, run: Path, kill_at: int | None = None, count_to: Path | None = None, waits: bool = False
    ) -> NoReturn:
        said = os.open(self.folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        code = 1
        try:
            counted = _count(self.folder, kill_at)
            end = time.monotonic() + _LONGEST
            while True:
                try:
                    train_recipe(self.recipe, run, self.folder)
                    finish(run, self.folder)
                    break
                except RunError as error:
                    if not error.problem.startswith("another process") or time.monotonic() > end:
                        raise
                    if not waits:
                        os._exit(_BUSY)
                time.sleep(0.05)
            if count_to is not None:
                count_to.write_text(str(counted[0]))
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


_BUSY = 77
"""Exit code of a run that another process holds."""


def kept(run: Path) -> dict[str, Any]:
    """Return what must be the same of a run, by name; of the log what does not tell the time."""
    found: dict[str, Any] = {}
    for file in sorted(run.rglob("*")):
        name = str(file.relative_to(run))
        if "/step-" in name and file.name in ("progress.json", "checksums.json"):
            continue  # hold seconds
        if name.startswith(("adapter/", "checkpoints/", "samples/", "scores.jsonl")) and file.is_file():
            found[name] = file.read_bytes()
        elif name.startswith("predictions/"):
            found[name] = sorted(file.read_bytes().splitlines())
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    told = [
        {key: value for key, value in line.items() if "second" not in key}
        for line in lines
        if line["kind"] in ("step", "validation")
    ]
    return found | {"log.jsonl": told}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the names whose content differs, or that only one has."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def left_behind(run: Path) -> list[str]:
    """Return what is half written, and locks."""
    return [str(path.relative_to(run)) for path in run.rglob("*") if path.name.startswith((".part", ".lock"))]


def _count(folder: Path, kill_at: int | None) -> list[int]:
    """Count the file operations in `folder` and kill this process at the one that is asked for."""
    counted, root = [0], str(folder)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _OPERATIONS or not str(arguments[0]).startswith(root):
            return
        counted[0] += 1
        if counted[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return counted


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _alive(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill as often as asked and return the exit code: 0, or 1 where a run ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--each", type=int, default=6, help="most kills of one run")
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args(arguments)
    seed = random.randrange(2**31) if chosen.seed is None else chosen.seed
    print(f"kills: seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pefomed-kills-") as made:
        os.environ["PEFOMED_CACHE"] = str(Path(made) / "cache")
        os.environ["PEFOMED_METEOR_JAR"] = "off"
        killed = Killed(Path(made), seed)
        print(f"  undisturbed: {killed.seconds:.1f} s, {killed.operations} file operations", flush=True)
        wrong: list[str] = []
        runs = 0
        while killed.kills < chosen.kills:
            before = killed.kills
            found = killed.once(min(chosen.each, chosen.kills - killed.kills))
            runs += 1
            print(
                f"  run {runs}: {killed.kills - before} kills, {', '.join(found) or 'the same'}", flush=True
            )
            wrong += found
    print(f"{killed.kills} kills in {runs} runs: {'DIFFERENT' if wrong else 'all the same'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
