"""Two runs on the same samples: a table of paired differences, and the items whose answers changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.evaluate.compare import Difference
from pefomed.report import items
from pefomed.report.box_items import box_marks
from pefomed.report.figures import Cell, is_share, metric_title
from pefomed.report.located import located
from pefomed.report.rightness import judged_in, rightness
from pefomed.report.runs import Named
from pefomed.report.sheet import Column, Line, Sheet, sheet_name

SEGMENTS = {
    "changed": ("Changed", "Right in one run, wrong in the other"),
    "gained": ("Wrong → right", "Wrong in the first run, right in the second"),
    "lost": ("Right → wrong", "Right in the first run, wrong in the second"),
    "all": ("All", ""),
}

_VERDICTS = {"accuracy": "Right by", "wasm": "WASM by"}
"""Metrics of verdicts: `accuracy:RATER`, `wasm:RATER`."""


def difference_sheet(found: Sequence[Difference], first: str, second: str) -> Sheet:
    """Return the differences second - first, a line per data set and metric."""
    columns = [
        Column("first", first), Column("second", second), Column("difference", "Difference"),
        Column("p", "p"), Column("better", "Items up"), Column("worse", "Items down"),
    ]  # fmt: skip
    lines = [_line(one) for one in found]
    title = f"{second} against {first}: paired differences; shares in percent"
    name = sheet_name("difference", first, second)
    return Sheet(name, title, ("data", "metric"), tuple(columns), lines, _tests(found))


def changed_items(first: Named, second: Named) -> dict[str, Any]:
    """Return the item browser's data of two runs; the second run's answer is the one that is judged."""
    names = {"second": second.label, "first": first.label}
    found: list[dict[str, Any]] = []
    datasets = []
    right = rightness(second.run.answered)
    before = {(split.dataset, split.split): split for split in first.run.answered}
    for split in second.run.answered:
        other = before.get((split.dataset, split.split))
        if other is None:
            continue
        datasets.append(f"{split.dataset} {split.split}".strip())
        judged = judged_in(split)
        sides = (
            ("second", split.predictions, located(split, second.run.recipe).get("model", {})),
            ("first", other.predictions, located(other, first.run.recipe).get("model", {})),
        )
        found += [
            {
                "dataset": len(datasets) - 1,
                **items.item_of(sample),
                "answers": {
                    name: items.answer_of(
                        right, sample, predictions.get(sample.id), judged, boxes.get(sample.id)
                    )
                    for name, predictions, boxes in sides
                },
                "labels": [],
                "marks": box_marks(sides[0][2].get(sample.id)),
            }
            for sample in split.samples
            if sample.id in other.predictions
        ]
    data = items.assembled(found, names, SEGMENTS, right.titles, datasets)
    return data | {"compares": True, "start": "changed"}


def title_of(metric: str) -> str:
    """Return what a metric of a difference is called."""
    kind, colon, rater = metric.partition(":")
    return f"{_VERDICTS[kind]} {rater}" if colon and kind in _VERDICTS else metric_title(metric)


def _tests(found: Sequence[Difference]) -> list[str]:
    """Say which test each p is of; the metrics are named where there are several tests."""
    metrics: dict[str, dict[str, None]] = {}
    for one in found:
        metrics.setdefault(one.test, {})[title_of(one.metric)] = None
    if len(metrics) == 1:
        return [f"p: {test}" for test in metrics]
    return [f"p of {', '.join(names)}: {test}" for test, names in metrics.items()]


def _line(one: Difference) -> Line:
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{_signed(one, one.low)} to {_signed(one, one.high)}"
    proof = f"n = {one.n:,}; {one.test}"
    difference = Cell(_signed(one, one.difference), interval, one.n, proof, one.difference, one.low, one.high)
    p = Cell("< 0.001" if one.p < 0.001 else f"{one.p:.3f}", "", 0, one.test, one.p)
    by_item = bool(one.better or one.worse)
    up, down = (Cell(str(len(ids)), "", 0, "", len(ids)) for ids in (one.better, one.worse))
    return Line(
        (f"{one.dataset} {one.split}".strip(), title_of(one.metric)),
        (_cell(one, one.a), _cell(one, one.b), difference, p, *((up, down) if by_item else (None, None))),
    )


def _cell(one: Difference, value: float) -> Cell:
    text = f"{100 * value:.1f}" if _is_share(one.metric) else f"{value:.3f}"
    return Cell(text, "", one.n, f"n = {one.n:,}", value)


def _signed(one: Difference, value: float) -> str:
    text = f"{abs(100 * value):.1f}" if _is_share(one.metric) else f"{abs(value):.3f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '−'}{text}"  # noqa: RUF001


def _is_share(metric: str) -> bool:
    return is_share(metric) or metric.startswith("accuracy:")
