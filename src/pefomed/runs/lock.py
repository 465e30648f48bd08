"""One process at a time writes into a folder, on one machine or on a file system that several share.

Training, answering and scoring hold a run's `.lock`; a report holds `report/.lock`; a judge
`verdicts/.<rater>.lock`, the export of ratings `verdicts/.rating.lock`: what writes different files goes on
side by side. Reading needs no lock, for files appear by rename or grow by whole lines.

The holder is written into the lock: machine, process, when it began. The file appears whole or not at all and
only if there is none (a hard link; where there are none, O_EXCL), and its holder touches it every `BEAT`
seconds. It is stale when its process is gone from the same machine, or when another machine has not touched
it for `SILENT` seconds by the file system's own clock; then it is taken over, which is said. Of the
processes of one training the main one holds it for all.

filelock has such locks since 2026 (`SoftFileLease`). One of a machine that died yesterday would have to be
watched for all of `SILENT` seconds before it is taken over, by whoever comes; here it is taken over at once.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pefomed.errors import RunError
from pefomed.files.storage import storage_errors, sweep
from pefomed.progress import note
from pefomed.startup.processes import is_main

FILE = ".lock"
"""Of the whole folder."""
BEAT, SILENT = 20.0, 300.0
"""Seconds."""

_GUARD, _PAUSE = "-taken-over", 0.05
_PROCESSES = Path("/proc")
_held: dict[Path, _Held] = {}


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    host: str
    machine: str
    """Differs after a restart and between containers: a process number says something within it alone."""
    pid: int
    began: str
    """When the process began, as its system says it: numbers are given to other processes later."""
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextlib.contextmanager
def hold(folder: Path, file: str = FILE, *, patience: float = 0.0, again: bool = True) -> Iterator[None]:
    """Hold a folder while the block runs; within a process that holds it already, go on holding it.

    What killed writers have left in it is removed first, if it is the whole folder.

    Args:
        file: the lock, where several may write different files into the folder.
        patience: seconds to wait for another process that is soon done.
        again: False to be refused within a process that holds it already, too.

    Raises:
        RunError: another process holds it.
        StorageError: the folder cannot be written.
    """
    key = folder.resolve() / file
    if not is_main() or (again and key in _held and _held[key].pid == os.getpid()):
        yield
        return
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        mine = _Held(_waited(folder, file, patience), folder / file)
        if file == FILE:
            sweep(folder)
    _held[key] = mine
    mine.start()
    try:
        yield
    finally:
        del _held[key]
        mine.release()


def check_held() -> None:
    """Check before something is written for good that what this process holds has not been taken over.

    Raises:
        RunError: another process took it over, e.g. while this one was suspended.
    """
    for held in _held.values():
        if held.pid == os.getpid() and (other := _holder(held.file)) != held.holder:
            raise RunError(
                f"{held.file.parent} was taken over from this process, which had been silent for long",
                found=str(other) if other else f"no {FILE}",
                remedy="let the other process go on, or give the same command again when it has ended",
            )


class _Held(threading.Thread):
    """Touches the lock file until it is released."""

    def __init__(self, holder: Holder, file: Path):
        super().__init__(daemon=True)
        self.holder, self.file, self.pid = holder, file, os.getpid()
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(BEAT):
            with contextlib.suppress(OSError):  # gone, or the file system is away for a moment
                if _holder(self.file) == self.holder:
                    os.utime(self.file)

    def release(self) -> None:
        self._done.set()
        with contextlib.suppress(OSError):
            if _holder(self.file) == self.holder:
                self.file.unlink()


def _waited(folder: Path, file: str, patience: float) -> Holder:
    end, said = time.monotonic() + patience, False
    while True:
        try:
            return _acquire(folder, file)
        except RunError as error:
            if time.monotonic() > end:
                raise
            if not said:
                note(f"waiting: {error.problem} ({error.found})")
                said = True
        time.sleep(10 * _PAUSE)


def _acquire(folder: Path, file: str = FILE) -> Holder:
    me = _me()
    own = folder / f".part-lock-{secrets.token_hex(6)}"
    try:
        own.write_text(json.dumps(asdict(me)))
        for _ in range(int(2 * BEAT / _PAUSE)):
            if _place(own, folder / file):
                return me
            with contextlib.suppress(FileNotFoundError):  # released meanwhile
                _take_over(folder / file, own)
        raise RunError(f"{folder} is taken over by others again and again", remedy="give the command again")
    finally:
        own.unlink(missing_ok=True)


def _take_over(lock: Path, own: Path) -> None:
    """Remove a stale lock.

    Raises:
        RunError: it is not stale.
    """
    folder, guard = lock.parent, lock.with_name(f"{lock.name}{_GUARD}")
    why = _stale(lock, own)
    if not why:
        raise RunError(
            f"another process works in {folder}",
            found=f"{_holder(lock) or 'a lock that cannot be read'}",
            remedy="wait until it has ended, or choose another --out; if it hangs, end it first",
        )
    # Two may find it stale at once, and the slower must not remove the lock of the faster: one at a time.
    if not _place(own, guard):
        if _stale(guard, own) or _age(guard, own) > BEAT:  # of a process that was killed within these lines
            guard.unlink(missing_ok=True)
        time.sleep(_PAUSE)
        return
    try:
        if why := _stale(lock, own):
            before = _holder(lock)
            lock.unlink()
            note(f"{folder}: taking over the lock of {before or 'a process that left no name'}: {why}")
    finally:
        guard.unlink(missing_ok=True)


def _stale(lock: Path, own: Path) -> str:
    """Return why a lock's holder is gone; nothing if it may be there."""
    holder, age = _holder(lock), _age(lock, own)
    if holder is not None and holder.machine == _machine():
        # A process with its number and its beginning is the process, also one that is suspended.
        return "" if _began(holder.pid) in (holder.began, "") else "that process has ended"
    if age > SILENT:
        return f"no sign of life for {age:.0f} seconds"
    return ""


def _age(file: Path, own: Path) -> float:
    """Return how long ago a file was touched, by the clock of the file system that keeps it."""
    os.utime(own)
    return own.stat().st_mtime - file.stat().st_mtime


def _place(own: Path, lock: Path) -> bool:
    try:
        os.link(own, lock)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        with contextlib.suppress(FileExistsError):  # no hard links here
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            with os.fdopen(handle, "wb") as file:
                file.write(own.read_bytes())
            return True
        return False
    return True


def _holder(lock: Path) -> Holder | None:
    try:
        return Holder(**json.loads(lock.read_text()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _me() -> Holder:
    pid = os.getpid()
    return Holder(
        socket.gethostname(), _machine(), pid, _began(pid) or "", time.strftime("%Y-%m-%d %H:%M:%S")
    )


@cache
def _machine() -> str:
    """Return what tells this start of this machine, and this container in it, from all others."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(reversed(parts))


def _began(pid: int) -> str | None:
    """Return when a process began, None if it is gone; where the system does not say, an empty text."""
    stat = _PROCESSES / str(pid) / "stat"
    try:
        # A name in brackets may hold anything; behind it the first field is the state, the 20th the start.
        fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if (_PROCESSES / "self" / "stat").exists():
            return None
    import psutil  # not on Linux, where its beginnings move with the clock

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:  # somebody else's: it is there
        return ""
