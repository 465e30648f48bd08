"""What commands print: tables for people, JSON for machines, both on the standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pefomed.schema import Score


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


def print_scores(run: Path, scores: Sequence[Score] | None = None) -> None:
    """Print what stands first for the run's tasks, as its page does; `scores.jsonl` has every score.

    Shares are in percent. Headlines are printed for every system, the figures beside them for the answers.

    Args:
        scores: all scores of the run; read from it if absent.
    """
    from pefomed.evaluation.own_metrics import own_metrics
    from pefomed.metrics.lookup import with_plugins

    with with_plugins(own_metrics(run)):
        _print_scores(run, scores)


def print_protocols(run: Path) -> None:
    """Print what each protocol makes of the answers, where they were scored so."""
    from pefomed.evaluation.protocol_records import read_protocols
    from pefomed.protocols.known import PROTOCOLS

    for split in read_protocols(run)[0]:
        rows = []
        for row in split.rows:
            found = {score.group: score for score in row.scores if score.system == "model"}
            shares = [f"{100 * found[each].value:.1f} %" if each in found else "" for each in _FIGURES]
            title = PROTOCOLS[row.name].title if row.name in PROTOCOLS else row.name
            title += f", judge {row.judge}" if row.judge else ""
            rows.append([title, *shares, found["overall"].n if "overall" in found else ""])
        print_table(("Protocol", *_FIGURES, "n"), rows, f"{split.dataset}, {split.split}: by protocol")


_FIGURES = ("overall", "open", "closed")


def _print_scores(run: Path, scores: Sequence[Score] | None) -> None:
    from pefomed.evaluation.groups import OVERALL
    from pefomed.evaluation.headlines import figures, is_own, is_verdict
    from pefomed.evaluation.origin import read_scores
    from pefomed.evaluation.probe_sentence import probe_sentences
    from pefomed.metrics.statistics.interval import why_none
    from pefomed.report.correctness import speaks
    from pefomed.report.figures import is_share
    from pefomed.report.run import read_answered
    from pefomed.report.sureness import line_of
    from pefomed.runs import RunFolder
    from pefomed.runs.folder import WAYS

    def cell(score: Score, value: float) -> str:
        return f"{100 * value:.1f} %" if is_share(score.metric) else f"{value:.3f}"

    recipe = RunFolder(run).read_recipe()
    answered = {(one.dataset, one.split): one for one in read_answered(run, recipe, [])}
    every = read_scores(run) if scores is None else scores
    rows, lines = [], []
    for split in dict.fromkeys((score.dataset, score.split) for score in every):
        mine = [score for score in every if (score.dataset, score.split) == split]
        samples = answered[split].samples if split in answered else []
        first = figures(
            [score for score in mine if score.system == "model"],
            {sample.task for sample in samples},
            sentences=split in answered and speaks(answered[split]),
        )
        heads = [score for _, family in first for score in family]
        headlines = [family[0].metric for _, family in first]
        shown = [
            score
            for head in heads
            for score in mine
            if (score.metric, score.group) == (head.metric, head.group)
            and (score.metric in headlines or score.system in ("model", "blind", *WAYS))
        ]
        shown += [score for score in mine if score.group == OVERALL and is_verdict(score.metric)]
        own = [score for score in mine if score.group == OVERALL and is_own(score.metric)]
        shown += [score for score in own if score.system in ("model", "blind")]
        if line := line_of(mine):
            lines.append(f"{' '.join(split)}: {line}")
        lines += probe_sentences(mine)
        rows += [
            (
                f"{score.dataset} {score.split}",
                score.metric if score.group == "overall" else f"{score.metric}, {score.group}",
                score.system,
                cell(score, score.value),
                f"{cell(score, score.low)} to {cell(score, score.high)}"
                if score.low is not None and score.high is not None
                else why_none(score.interval),
                score.n,
            )
            for score in dict.fromkeys(shown)
        ]
    if rows:
        print_table(("data", "metric", "system", "value", "95 % interval", "n"), rows)
    for line in lines:
        print(line)
    print(f"{len(every):,} scores in all: {RunFolder(run).scores_file}")


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
