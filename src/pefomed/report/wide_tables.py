"""Result tables with a column per metric: reports and captions, boxes, and how the answers came out."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.metrics.known import PRESETS
from pefomed.metrics.lookup import metric_of, named, table
from pefomed.metrics.metric import TableSection
from pefomed.report.figures import OVERALL, of_split
from pefomed.report.tables import ColumnHead, Footnotes, Proof, ResultTable, asked, rows_of
from pefomed.schema import Score

TableColumns = Sequence[tuple[str, str, str]]
"""`(block, metric, title)` of each column, those of a block together."""


def text_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by the metrics of reports and captions, all presets side by side; None without any."""
    texts = [table()[name] for name in named("texts")]
    columns = [
        (preset, metric.name, metric.heading)
        for preset in PRESETS.values()
        for metric in texts
        if metric.preset == preset
    ]
    return _of_sections(scores, dataset, split, ("texts",), columns, notes)


def box_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by the metrics of boxes, means over phrases and over categories; None without any."""
    columns = [*_columns("Mean over phrases", "boxes"), *_columns("Mean over categories", "categories")]
    return _of_sections(scores, dataset, split, ("boxes", "categories"), columns, notes, _joined)


def side_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by their rates of left and right mistaken; None without any."""
    columns = _columns("Left and right mistaken", "sides")
    return _of_sections(scores, dataset, split, ("sides",), columns, notes, _joined)


def rate_table(scores: Sequence[Score], dataset: str, split: str, notes: Footnotes) -> ResultTable | None:
    """Return systems by how their answers came out: empty, cut, without a readable box; None without any."""
    columns = _columns("How answers came out", "rates")
    return _of_sections(scores, dataset, split, ("rates",), columns, notes, _joined)


def _columns(block: str, section: TableSection) -> list[tuple[str, str, str]]:
    return [(block, name, table()[name].heading) for name in named(section)]


def _of_sections(
    scores: Sequence[Score],
    dataset: str,
    split: str,
    sections: Sequence[TableSection],
    columns: TableColumns,
    notes: Footnotes,
    proof: Proof | None = None,
) -> ResultTable | None:
    mine = of_split(scores, dataset, split)
    chosen = [score for score in mine if metric_of(score.metric).section in sections]
    return _table(chosen, columns, notes, proof)


def _joined(scores: Sequence[Score]) -> list[str]:
    """Return what all metrics of a row are as one text, and how its answers came about."""
    parts = [score.implementation.partition("; ") for score in scores]
    definitions = list(dict.fromkeys(definition for definition, _, _ in parts))
    # `pefomed 1.0, iou: ...` names the version for each of them: once is enough.
    program = definitions[0].partition(", ")[0] + ", "
    shared = all(definition.startswith(program) for definition in definitions)
    if shared and len(definitions) > 1:
        definitions = [definitions[0], *(each.removeprefix(program) for each in definitions[1:])]
    return ["; ".join(definitions), *dict.fromkeys(how for _, _, how in parts if how)]


def _table(
    scores: Sequence[Score], columns: TableColumns, notes: Footnotes, proof: Proof | None = None
) -> ResultTable | None:
    mine = [score for score in scores if score.group == OVERALL]
    present = {score.metric for score in mine}
    columns = [column for column in columns if column[1] in present]
    if not columns:
        return None
    titles = [block for block, _, _ in columns]
    heads = [
        ColumnHead(
            metric, OVERALL, title, asked(mine, metric, OVERALL), place == 0 or titles[place - 1] != block
        )
        for place, (block, metric, title) in enumerate(columns)
    ]
    blocks = [(block, titles.count(block)) for block in dict.fromkeys(titles)]
    return ResultTable(blocks, heads, rows_of(mine, heads, notes, proof))
