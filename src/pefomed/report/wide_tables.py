"""Result tables with a column per metric: reports and captions, boxes, and how the answers came out."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.report.figures import (
    BOXES,
    BOXES_MACRO,
    GIVEN,
    OVERALL,
    PRESET,
    RATES,
    is_boxes,
    metric_title,
    of_split,
)
from pefomed.report.sides import COLUMNS
from pefomed.report.tables import TEXTS, Footnotes, Head, Proof, ResultTable, asked, is_text, rows_of
from pefomed.schema import Score

Columns = Sequence[tuple[str, str, str]]
"""`(block, metric, title)` of each column, those of a block together."""


def text_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by the metrics of reports and captions, all presets side by side; None without any."""
    presets = (("COCO, PTB tokens", ""), ("R2Gen cleaning", PRESET), ("Tokens as given", GIVEN))
    columns = [(title, f"{name}{suffix}", metric_title(name)) for title, suffix in presets for name in TEXTS]
    chosen = [score for score in of_split(scores, dataset, split) if is_text(score.metric)]
    return _table(chosen, columns, notes)


def box_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by the metrics of boxes, means over phrases and over categories; None without any."""
    columns = [("Mean over phrases", metric, metric_title(metric)) for metric in BOXES]
    columns += [
        ("Mean over categories", metric, metric_title(metric.removesuffix("_macro")))
        for metric in BOXES_MACRO
    ]
    chosen = [score for score in of_split(scores, dataset, split) if is_boxes(score.metric)]
    return _table(chosen, columns, notes, _joined)


def side_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by their rates of left and right mistaken; None without any."""
    columns = [("Left and right mistaken", metric, title) for metric, title in COLUMNS.items()]
    chosen = [score for score in of_split(scores, dataset, split) if score.metric in COLUMNS]
    return _table(chosen, columns, notes, _joined)


def rate_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by how their answers came out: empty, cut, without a readable box; None without any."""
    columns = [("How answers came out", metric, _RATE_TITLES[metric]) for metric in RATES]
    chosen = [score for score in of_split(scores, dataset, split) if score.metric in RATES]
    return _table(chosen, columns, notes, _joined)


_RATE_TITLES = {
    "unparsable_rate": "no readable box",
    "repaired_rate": "box repaired",
    "empty_rate": "empty",
    "cut_rate": "cut at the limit",
}


def _joined(scores: Sequence[Score]) -> list[str]:
    """Return what all metrics of a row are as one text, and how its answers came about."""
    parts = [score.implementation.partition("; ") for score in scores]
    definitions = list(dict.fromkeys(definition for definition, _, _ in parts))
    # `pefomed 1.0, iou: ...` names the version for each of them: once is enough.
    program = definitions[0].partition(", ")[0] + ", "
    shared = all(definition.startswith(program) for definition in definitions)
    if shared and len(definitions) > 1:
        definitions = [definitions[0], *(one.removeprefix(program) for one in definitions[1:])]
    return ["; ".join(definitions), *dict.fromkeys(how for _, _, how in parts if how)]


def _table(
    scores: Sequence[Score], columns: Columns, notes: Footnotes, proof: Proof | None = None
) -> ResultTable | None:
    mine = [score for score in scores if score.group == OVERALL]
    present = {score.metric for score in mine}
    columns = [column for column in columns if column[1] in present]
    if not columns:
        return None
    titles = [block for block, _, _ in columns]
    heads = [
        Head(metric, OVERALL, title, asked(mine, metric, OVERALL), place == 0 or titles[place - 1] != block)
        for place, (block, metric, title) in enumerate(columns)
    ]
    blocks = [(block, titles.count(block)) for block in dict.fromkeys(titles)]
    return ResultTable(blocks, heads, rows_of(mine, heads, notes, proof))
