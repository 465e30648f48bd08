"""How often each of the levels 0 to 4 was given: a table with the WASM, and a bar of five parts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pefomed.agreement.published_levels import published_levels
from pefomed.agreement.records import Levels
from pefomed.evaluation.verdicts import RATER_KINDS
from pefomed.metrics.lookup import of_rater
from pefomed.metrics.wasm import wasm
from pefomed.report.figures import OVERALL, Cell, cell_of, of_split
from pefomed.report.sheet import Column, Sheet, SheetLine, marked, sheet_name
from pefomed.schema import Score

_METRICS: dict[str, str] = {kind: of_rater("levels", name).name for kind, name in RATER_KINDS.items()}

_LABELLED = 8
"""Percent from which a part of the bar is wide enough for its text."""


def level_sheet(
    levels: Sequence[Levels], scores: Sequence[Score], dataset: str, split: str, loader: str
) -> Sheet | None:
    """Return how often each level was given and the WASM, a line per judge, for the raters, and published.

    Args:
        loader: what reads the data set; published rows stand beside its test split.
    """
    mine = [each for each in levels if (each.dataset, each.split) == (dataset, split)]
    if not mine:
        return None
    wasm_of = {
        score.metric: cell_of(score)
        for score in of_split(scores, dataset, split)
        if score.system == "model" and score.group == OVERALL
    }
    columns = [Column(f"level {level}", str(level), "Answers at level") for level in range(5)]
    columns += [Column("wasm", "WASM"), Column("raters", "Raters or runs")]
    lines = [
        SheetLine((each.title,), (*_counts(each.counts), _wasm(each, wasm_of), str(each.raters)))
        for each in mine
    ]
    for row in published_levels(loader, split):
        value = wasm(row.counts)
        cell = Cell(f"{value:.3f}", "", row.n, f"from the counts; printed as {row.printed}", value)
        lines.append(
            SheetLine((marked(row.title, "published"),), (*_counts(row.counts), cell, ""), "published")
        )
    name, title = sheet_name(dataset, split, "levels"), f"Levels given to {dataset}, {split}"
    return Sheet(name, title, ("rater",), tuple(columns), lines, ["Numbers are means over raters or runs"])


def stacked(counts: Sequence[float], text: str) -> Markup:
    """Return a bar as wide as its cell, one part per level, with the level's share in it.

    Args:
        counts: numbers of items at level 0, 1, .. 4; not all of them 0.
        text: what the bar says, for readers who do not see it.
    """
    total = sum(counts)
    part = Markup('<rect class="level l{}" x="{}%" width="{}%" y="2" height="24"><title>{}</title></rect>')
    label = Markup('<text class="level-text l{}" x="{}%" y="19" text-anchor="middle">{} · {:.0f} %</text>')
    parts = []
    start = 0.0
    for level, count in enumerate(counts):
        share = 100 * count / total
        parts.append(part.format(level, round(start, 2), round(share, 2), f"level {level}: {share:.1f} %"))
        if share >= _LABELLED:
            parts.append(label.format(level, round(start + share / 2, 2), level, share))
        start += share
    said = "; ".join([text, *(f"level {level}: {count:g}" for level, count in enumerate(counts))])
    return Markup('<svg class="levels" width="100%" height="28" role="img" aria-label="{}">{}</svg>').format(
        said, Markup("").join(parts)
    )


def _counts(counts: Sequence[float]) -> list[Cell]:
    texts = [f"{count:.2f}".rstrip("0").rstrip(".") for count in counts]
    return [Cell(text, "", 0, "", count) for text, count in zip(texts, counts, strict=True)]


def _wasm(given: Levels, known: dict[str, Cell]) -> Cell:
    metric = _METRICS[given.kind]
    scored = known.get(f"{metric}:{given.rater}") or known.get(metric)
    # Scores of before the last verdicts, or none: the mean level itself, without an interval.
    return scored or Cell(f"{given.wasm:.3f}", "", given.n, f"mean level of {given.n:,} answers", given.wasm)
