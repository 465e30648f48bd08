"""How sure a run's answers are, as its page shows it: a table, two drawings, and what the threshold does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from pefomed.answers.sureness import Rule
from pefomed.evaluation.confidence import is_probability, right_answers
from pefomed.evaluation.decided import given
from pefomed.evaluation.sureness import CONFIDENCES
from pefomed.metrics.confidence import reliability, risks
from pefomed.metrics.lookup import metric_of, named
from pefomed.metrics.metric import OVERALL
from pefomed.report.figures import cell_of, of_split
from pefomed.report.run import ReportedSplit
from pefomed.report.sheet import Column, Sheet, SheetLine, sheet_name
from pefomed.report.sureness_plots import Curve, reliability_diagram, risk_coverage, standalone
from pefomed.schema import Sample, Score
from pefomed.tasks import BOXES, WORDS

_COLOURS = dict(zip(CONFIDENCES, "abcd", strict=True))


class Drawn(NamedTuple):
    """A drawing with what stands above it."""

    key: str
    title: str
    svg: Markup
    legend: list[tuple[str, str]]
    """Class of the style sheet, and what has this colour."""


@dataclass(frozen=True)
class Sureness:
    """One split of one data set."""

    title: str
    split: str
    table: Sheet
    groups: Sheet | None
    """The confidence that stands first, by group."""
    drawings: list[Drawn]
    decided: str
    """What the threshold does to these answers, in a sentence; empty without one."""
    names: str
    """What the drawings' files begin with."""

    @property
    def sheets(self) -> list[Sheet]:
        return [self.table, *([self.groups] if self.groups else [])]

    @property
    def files(self) -> dict[str, str]:
        """The drawings as files of their own, by name."""
        return {f"{self.names}-{one.key}": standalone(one.svg) for one in self.drawings}


def sureness_of(
    scores: Sequence[Score], split: ReportedSplit, title: str, rule: Rule | None
) -> Sureness | None:
    """Return what is shown of one split; None where nothing says how sure its answers are."""
    mine = [score for score in of_split(scores, split.dataset, split.split) if score.system == "model"]
    shown = [name for name in CONFIDENCES if any(score.metric == f"aurc:{name}" for score in mine)]
    if not shown:
        return None
    of = f"{title}, {split.split}".rstrip(", ")
    name = sheet_name(split.dataset, split.split, "sure")
    # Of splits with words and boxes the overall figures are of words alone.
    tasks = WORDS if any(sample.task in WORDS for sample in split.samples) else BOXES
    samples = [s for s in split.samples if s.task in tasks and s.id in split.predictions]
    return Sureness(
        title=title,
        split=split.split,
        table=_table(name, of, mine, shown),
        groups=_groups(name, of, mine, shown[0]),
        drawings=_drawings(of, samples, split, shown, rule),
        decided=_decided(mine, rule),
        names=name,
    )


def line_of(scores: Sequence[Score]) -> str:
    """Return in one line, for the terminal, how sure the answers of one split are; empty if nobody knows."""
    found = {score.metric: score for score in scores if score.system == "model" and score.group == OVERALL}
    titles = {"ece": "calibration error", "aurc": "AURC", "auroc": "AUROC"}
    for name in CONFIDENCES:
        if f"aurc:{name}" not in found:
            continue
        told = [
            f"{titles[metric]} {cell_of(found[key]).text}{' %' * (metric_of(metric).unit == '%')}"
            for metric in titles
            if (key := f"{metric}:{name}") in found
        ]
        line = f"how sure, by {metric_of(name).title.lower()}: {', '.join(told)}"
        if "answered_share" in found and "wrong_answered" in found:
            line += (
                f"; {cell_of(found['answered_share']).text} % are answered,"
                f" {cell_of(found['wrong_answered']).text} % of these wrong"
            )
        return line
    return ""


def _table(name: str, of: str, scores: Sequence[Score], shown: Sequence[str]) -> Sheet:
    found = {score.metric: score for score in scores if score.group == OVERALL}
    metrics = [m for m in named("sure") if any(f"{m}:{each}" in found for each in shown)]
    columns = (Column("mean", "Mean"), *(Column(m, _head(m)) for m in metrics))
    lines = []
    for each in shown:
        keys = (each, *(f"{metric}:{each}" for metric in metrics))
        cells = tuple(cell_of(found[key]) if key in found else None for key in keys)
        lines.append(SheetLine((metric_of(each).title,), cells))
    notes = [f"{metric_of(m).title}: {metric_of(m).definition}" for m in metrics]
    notes += [f"{metric_of(each).title}: {metric_of(each).definition}" for each in shown]
    return Sheet(name, f"How sure the answers on {of} are", ("confidence",), columns, lines, notes)


def _groups(name: str, of: str, scores: Sequence[Score], confidence: str) -> Sheet | None:
    """Return calibration and ranking by kind of question, where any group has enough answers."""
    metrics = [m for m in ("ece", "aurc", "auroc") if any(s.metric == f"{m}:{confidence}" for s in scores)]
    decided = [m for m in ("answered_share", "wrong_answered") if any(s.metric == m for s in scores)]
    found = {(score.metric, score.group): score for score in scores}
    groups = [
        group
        for group in dict.fromkeys(score.group for score in scores)
        if group != OVERALL and (f"aurc:{confidence}", group) in found
    ]
    if not groups:
        return None
    columns = (
        Column("mean", "Mean"), *(Column(m, _head(m)) for m in (*metrics, *decided))
    )  # fmt: skip
    lines = []
    for group in groups:
        key, _, value = group.partition("=")
        keys = (confidence, *(f"{metric}:{confidence}" for metric in metrics), *decided)
        # How many were answered stands in the cell's own text: the row's n is that of all.
        asked = found[f"aurc:{confidence}", group].n
        cells = tuple(
            replace(cell_of(found[one, group]), n=asked) if (one, group) in found else None for one in keys
        )
        lines.append(SheetLine((key.replace("_", " "), value), cells))
    title = f"{metric_of(confidence).title} of the answers on {of}, by kind"
    return Sheet(f"{name}-by-kind", title, ("key", "value"), columns, lines)


def _head(metric: str) -> str:
    about = metric_of(metric)
    return f"{about.title}, %" if about.unit == "%" else about.title


def _drawings(
    of: str, samples: Sequence[Sample], split: ReportedSplit, shown: Sequence[str], rule: Rule | None
) -> list[Drawn]:
    table = split.values
    texts = [split.predictions[sample.id].text for sample in samples]
    right = right_answers(samples, texts, table, "model").values if samples else np.zeros(0)
    columns = {name: table.column(name, [(s.id, None) for s in samples]) for name in shown}
    drawings = []
    for name, column in columns.items():
        c, r = _known(column, right)
        if len(r) and is_probability(name, [sample.task for sample in samples]):
            title = metric_of(name).title
            drawings.append(
                Drawn(
                    f"reliability-{sheet_name(name)}",
                    f"Is it what it says? {title}",
                    reliability_diagram(f"{title} on {of}", reliability(c, r)),
                    [("a", "right answers of a bin"), ("half", "as sure as right")],
                )
            )
    curves, best = [], np.zeros(0)
    for name, column in columns.items():
        c, r = _known(column, right)
        if len(r):
            curves.append(Curve(metric_of(name).title, _COLOURS[name], risks(c, r)))
            best = risks(r, r) if len(r) > len(best) else best
    if curves:
        legend = [(curve.colour, curve.label) for curve in curves] + [("best", "the best order")]
        passed = _passed(rule, samples, columns, right)
        legend += [("given", "threshold")] if passed else []
        svg = risk_coverage(of, curves, best, passed)
        drawings.append(Drawn("risk-coverage", "Wrong answers when only the surest are given", svg, legend))
    return drawings


def _known(
    column: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    there = ~np.isnan(column) & ~np.isnan(right)
    return column[there], right[there]


def _passed(
    rule: Rule | None,
    samples: Sequence[Sample],
    columns: dict[str, NDArray[np.float64]],
    right: NDArray[np.float64],
) -> tuple[float, float] | None:
    """Return the shares of answered questions, and of wrong ones among them, where there is a threshold."""
    if rule is None:
        return None
    passed, good = _known(given(rule, samples, columns), right)
    if not len(passed) or not passed.any():
        return None
    return float(passed.mean()), float(1 - good[passed == 1].mean())


def _decided(scores: Sequence[Score], rule: Rule | None) -> str:
    found = {score.metric: score for score in scores if score.group == OVERALL}
    if rule is None or "answered_share" not in found:
        return ""
    chosen = f"Chosen on {rule.pictures:,} pictures of {rule.source}. Promised: {rule.promise()}."
    if rule.threshold is None:
        return f"Nothing is answered: {rule.why_not(None)}."
    share = cell_of(found["answered_share"])
    said = (
        f"An answer of this run is given if its {metric_of(rule.by).title.lower()} is {rule.threshold:.3g} or"
        f" more, else it is “not sure”. {share.text} % of these questions are answered"
    )
    if "wrong_answered" in found:
        wrong = cell_of(found["wrong_answered"])
        interval = f", 95 % interval {wrong.interval}" if wrong.low is not None else ""
        said += f", and {wrong.text} % of these answers are wrong (n = {wrong.n:,}{interval})"
    return f"{said}. {chosen}"
