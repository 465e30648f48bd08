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


_SHOWN = ("exact_match", "bleu_4", "rouge_l", "cider", "meteor", "wasm_")
"""Metrics, or how their names begin, that the terminal shows; judges and people besides."""


def print_scores(run: Path) -> None:
    """Print the run's main overall scores, shares in percent; `scores.jsonl` has every one."""
    from pefomed import jsonl
    from pefomed.report.figures import is_judged, is_share
    from pefomed.schema import Score

    def cell(score: Score, value: float) -> str:
        return f"{100 * value:.1f} %" if is_share(score.metric) else f"{value:.3f}"

    every = list(jsonl.read(run / "scores.jsonl", Score))
    rows = [
        (
            f"{score.dataset} {score.split}",
            score.metric,
            score.system,
            cell(score, score.value),
            f"{cell(score, score.low)} to {cell(score, score.high)}"
            if score.low is not None and score.high is not None
            else "",
            score.n,
        )
        for score in every
        if score.group == "overall" and (score.metric.startswith(_SHOWN) or is_judged(score.metric))
    ]
    if rows:
        print_table(("data", "metric", "system", "value", "95 % interval", "n"), rows)
        print(f"{len(every):,} scores in all: {run / 'scores.jsonl'}")


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
