"""Two runs on the same samples: a table of paired differences, and the items whose answers changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pefomed.evaluation.groups import ANY_BOX
from pefomed.evaluation.paired_difference import PairedDifference
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.metrics.known import CLOSED
from pefomed.metrics.statistics.interval import NONE, why_none
from pefomed.report import items
from pefomed.report.box_answers import box_answers
from pefomed.report.correctness import correctness, judged_in
from pefomed.report.figures import Cell, is_share, metric_title
from pefomed.report.item_boxes import box_marks
from pefomed.report.runs import LabelledRun
from pefomed.report.sheet import Column, Sheet, SheetLine, sheet_name

SEGMENTS = {
    "changed": ("Changed", "Right in one run, wrong in the other"),
    "gained": ("Wrong → right", "Wrong in the first run, right in the second"),
    "lost": ("Right → wrong", "Right in the first run, wrong in the second"),
    "all": ("All", ""),
}

_OF = {ANY_BOX: ", phrases with boxes", CLOSED: ", closed questions"}
_WHICH = (
    "Boxes: pairs are of all phrases, of which one without a box is right where the answer is that there is"
    " none; `phrases with boxes` leaves those out, and the items below do with the group boxes, value any"
)

_UNTESTED = "none, as [evaluate] bootstrap = 0 asks for no draws"
_MCNEMAR = (
    "McNemar's p: his exact test, which takes items as independent; of several items about one image p is"
    " right, and McNemar's mostly too small"
)


def difference_sheet(differences: Sequence[PairedDifference], first: str, second: str) -> Sheet:
    """Return the differences second - first, a line per data set and metric."""
    columns = [
        Column("first", first), Column("second", second), Column("difference", "Difference"),
        Column("p", "p"), Column("p_mcnemar", "McNemar's p"), Column("better", "Items better"),
        Column("worse", "Items worse"),
    ]  # fmt: skip
    # A column only where there is something to say.
    mcnemar = any(each.mcnemar is not None for each in differences)
    columns = [column for column in columns if mcnemar or column.key != "p_mcnemar"]
    lines = [difference_line(each, mcnemar) for each in differences]
    title = f"{second} against {first}: paired differences; shares in percent"
    name = sheet_name("difference", first, second)
    return Sheet(name, title, ("data", "metric"), tuple(columns), lines, _tests(differences))


def difference_line(paired: PairedDifference, mcnemar: bool = False) -> SheetLine:
    """Return a difference as a line: both values, the difference, p, McNemar's p if asked for, items."""
    if paired.low is not None and paired.high is not None:
        interval = f"{_signed(paired, paired.low)} to {_signed(paired, paired.high)}"
    else:
        interval = why_none(paired.interval)
    proof = "; ".join(filter(None, (f"n = {paired.n:,}", paired.interval, paired.test)))
    difference = Cell(
        _signed(paired, paired.difference),
        interval,
        paired.n,
        proof,
        paired.difference,
        paired.low,
        paired.high,
    )
    tests = [_p(paired.p, paired.test)]
    if mcnemar:
        tests.append(_p(paired.mcnemar, "McNemar, exact, items as independent"))
    by_item = bool(paired.better or paired.worse)
    up, down = (Cell(str(len(ids)), "", 0, "", len(ids)) for ids in (paired.better, paired.worse))
    return SheetLine(
        (f"{paired.dataset} {paired.split}".strip(), metric_title(paired.metric) + _OF.get(paired.group, "")),
        (
            _cell(paired, paired.a),
            _cell(paired, paired.b),
            difference,
            *tests,
            *((up, down) if by_item else (None, None)),
        ),
    )


def changed_items(first: LabelledRun, second: LabelledRun, gate: PictureGate | None = None) -> dict[str, Any]:
    """Return the item browser's data of two runs; the second run's answer is the one that is judged.

    Args:
        gate: which pictures of the second run are embedded; without it they are named alone.
    """
    names = {"second": second.label, "first": first.label}
    browsed: list[dict[str, Any]] = []
    datasets = []
    right = correctness(second.run.answered)
    before = {(split.dataset, split.split): split for split in first.run.answered}
    for split in second.run.answered:
        other = before.get((split.dataset, split.split))
        if other is None:
            continue
        datasets.append(f"{split.dataset} {split.split}".strip())
        judged = judged_in(split)
        sides = (
            ("second", split, box_answers(split, second.run.recipe).get("model", {})),
            ("first", other, box_answers(other, first.run.recipe).get("model", {})),
        )
        browsed += [
            {
                "dataset": len(datasets) - 1,
                **items.item_of(sample, split.predictions.get(sample.id), gate),
                "answers": {
                    name: items.answer_of(
                        right,
                        sample,
                        side.predictions.get(sample.id),
                        judged,
                        boxes.get(sample.id),
                        value_of=partial(side.values.value, sample_id=sample.id),
                    )
                    for name, side, boxes in sides
                },
                "labels": [],
                "marks": box_marks(sides[0][2].get(sample.id)),
            }
            for sample in split.samples
            if sample.id in other.predictions
        ]
    data = items.assembled(browsed, names, SEGMENTS, right.titles, datasets, gate)
    return data | {"compares": True, "start": "changed"}


def _tests(differences: Sequence[PairedDifference]) -> list[str]:
    """Say which test each p is of; the metrics are named where there are several tests."""
    metrics: dict[str, dict[str, None]] = {}
    for each in differences:
        metrics.setdefault(each.test, {})[metric_title(each.metric)] = None
    alone = len(metrics) == 1
    said = [
        f"p{'' if alone else ' of ' + ', '.join(names)}: {test or _UNTESTED}"
        for test, names in metrics.items()
    ]
    if any(each.mcnemar is not None for each in differences):
        said.append(_MCNEMAR)
    if any(each.group == ANY_BOX for each in differences):
        said.append(_WHICH)
    reasons: dict[str, dict[str, None]] = {}
    for each in differences:
        if each.interval.startswith(NONE):
            reasons.setdefault(each.interval.removeprefix(NONE), {})[metric_title(each.metric)] = None
    return said + [f"No interval of {', '.join(names)}: {why}" for why, names in reasons.items()]


def _p(p: float | None, test: str) -> Cell | None:
    return None if p is None else Cell("< 0.001" if p < 0.001 else f"{p:.3f}", "", 0, test, p)


def _cell(difference: PairedDifference, value: float) -> Cell:
    text = f"{100 * value:.1f}" if is_share(difference.metric) else f"{value:.3f}"
    return Cell(text, "", difference.n, f"n = {difference.n:,}", value)


def _signed(difference: PairedDifference, value: float) -> str:
    text = f"{abs(100 * value):.1f}" if is_share(difference.metric) else f"{abs(value):.3f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '−'}{text}"  # noqa: RUF001
