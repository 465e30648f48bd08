"""The table that is printed and the records that are written: one number of each side a row."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One measured thing; `ratio` is how many times better `ours` is than `ordinary`."""

    part: str
    what: str
    unit: str
    ours: float | None = None
    ordinary: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    """Smallest and largest ratio of the rounds."""
    target: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Times:
    """Seconds of each round, side by side."""

    ours: list[float]
    ordinary: list[float]

    @property
    def ratio(self) -> float:
        """Median time of the ordinary way over the median of ours."""
        return statistics.median(self.ordinary) / statistics.median(self.ours)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each round."""
        return [theirs / own for own, theirs in zip(self.ours, self.ordinary, strict=True)]


def interleaved(rounds: Iterable[tuple[Callable[[], object], Callable[[], object]]]) -> Times:
    """Run the pairs (ours, ordinary) one after the other, A B A B, so that a busy minute hits both."""
    times = Times([], [])
    for ours, ordinary in rounds:
        times.ours.append(seconds(ours))
        times.ordinary.append(seconds(ordinary))
    return times


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of `work`."""
    begun = perf_counter()
    work()
    return perf_counter() - begun


def show(rows: Sequence[Row], title: str, notes: Sequence[str]) -> None:
    """Print one table, with colour on a terminal, as plain text elsewhere."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 140, highlight=False)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, safe_box=True, pad_edge=False)
    table.add_column("measured", no_wrap=True)
    for name in ("pefomed", "ordinary"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for name in ("ratio", "rounds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    part = ""
    for row in rows:
        if row.part != part:
            if part:
                table.add_section()
            table.add_row(f"[bold]{row.part}[/bold]")
            part = row.part
        table.add_row(
            f"  {row.what}",
            _number(row.ours),
            _number(row.ordinary),
            row.unit,
            _ratio(row),
            "" if row.low is None or row.high is None else f"{row.low:.1f}-{row.high:.1f}",
            row.note,
        )
    with console.capture() as printed:
        console.print(table)
        for note in notes:
            console.print(f"[yellow]note:[/yellow] {note}", soft_wrap=True)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    text = f"{row.ratio:.1f} x"
    if row.target is None:
        return text
    colour = "green" if row.ratio >= row.target else "red"
    return f"[{colour}]{text}[/{colour}] (>= {row.target:g})"
