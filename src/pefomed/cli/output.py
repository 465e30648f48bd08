"""What commands print: tables for people, JSON for machines, both on the standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def print_json(value: Any) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print `rows`; numbers are put to the right and get thousands separators."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    # A pipe has no width: 80 columns would break paths that a person greps for.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def print_scores(run: Path) -> None:
    """Print the run's overall scores, one line for each metric and system."""
    from pefomed import jsonl
    from pefomed.schema import Score

    rows = [
        (
            f"{score.dataset} {score.split}",
            score.metric,
            score.system,
            f"{100 * score.value:.1f}",
            f"{100 * score.low:.1f} to {100 * score.high:.1f}"
            if score.low is not None and score.high is not None
            else "",
            score.n,
        )
        for score in jsonl.read(run / "scores.jsonl", Score)
        if score.group == "overall"
    ]
    if rows:
        print_table(("data", "metric", "system", "%", "95 % interval", "n"), rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3g}"
    return str(value)
