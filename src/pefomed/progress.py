"""One progress line with rate and time left on the error stream; plain and rare without a terminal."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from pefomed.startup.processes import is_main

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


class ProgressLine(Protocol):
    """A running count."""

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Move the count by `amount` and show `note` behind it."""


@contextmanager
def line(what: str, total: float | None, unit: str = "items", done: float = 0) -> Iterator[ProgressLine]:
    """Show `what` with its share done, rate and time left while the block runs.

    `done` was done before, by a run that is now resumed: it counts as done, not towards the rate.
    """
    if not is_main():
        yield _NoLine()
    elif sys.stderr.isatty():
        with _rich_line(what, total, unit, done) as shown:
            yield shown
    else:
        yield _PlainLine(what, total, unit, done)


def track(items: Iterable[T], what: str, total: float | None = None, unit: str = "items") -> Iterator[T]:
    """Yield `items`, advancing a progress line by one for each."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with line(what, total, unit) as shown:
        for item in items:
            yield item
            shown.advance()


def note(text: str) -> None:
    """Say something that a person should know on the error stream, once, from the main process alone."""
    if is_main():
        print(f"note: {text}", file=sys.stderr, flush=True)


class _NoLine(ProgressLine):
    """In a process that trains beside the main one, which shows what all of them do."""

    def advance(self, amount: float = 1, note: str = "") -> None:
        return


class _PlainLine(ProgressLine):
    """Without a terminal: a plain line every 30 seconds, so that logs of long runs show life."""

    EVERY = 30.0

    def __init__(self, what: str, total: float | None, unit: str, done: float):
        self._what, self._total, self._unit = what, total, unit
        self._before, self._done = done, done
        self._start = self._last = time.monotonic()

    def advance(self, amount: float = 1, note: str = "") -> None:
        self._done += amount
        now = time.monotonic()
        if now - self._last < self.EVERY:
            return
        self._last = now
        rate = (self._done - self._before) / max(now - self._start, 1e-9)
        of = f" of {self._total:g}" if self._total else ""
        left = f", {(self._total - self._done) / rate:.0f} s left" if self._total and rate else ""
        print(
            f"{self._what}: {self._done:g}{of} {self._unit}, {rate:.3g}/s{left} {note}",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def _rich_line(what: str, total: float | None, unit: str, done: float) -> Iterator[ProgressLine]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=_console()) as progress:
        task = progress.add_task(what, total=total, completed=int(done), rate="", note="")

        class _ShownItems(ProgressLine):
            def advance(self, amount: float = 1, note: str = "") -> None:
                speed = progress.tasks[task].speed
                rate = f"{speed:.3g} {unit}/s" if speed else ""
                progress.update(task, advance=amount, note=note, rate=rate)

        yield _ShownItems()


@functools.cache
def _console() -> Console:
    # One for all lines: rich stacks lines that run at the same time only on the same console.
    from rich.console import Console

    return Console(stderr=True)
