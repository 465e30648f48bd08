"""A score as it is shown: its digits, its interval, its proof, and the names of metrics and systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pefomed.metrics.lookup import heads, metric_of
from pefomed.metrics.metric import OVERALL as OVERALL
from pefomed.metrics.statistics.interval import why_none
from pefomed.schema import Score

PRIMARY = heads("words")[0][0].name
"""The metric of the headline and of the charts by group."""

SPOKEN = tuple(metric.name for metric, _ in heads("words") if metric.of_sentences)
"""Metrics that look into answers in whole sentences; the last is of all questions."""

IOU = heads("boxes")[0][0].name
"""The metric of boxes that headline, charts and floors are about."""

_SYSTEMS = {
    "model": "This model",
    "blind": "This model, blind",
    "vocabulary": "This model, from a closed vocabulary",
    "neighbours": "This model, told of similar training images",
    "floor:majority": "Majority answer of the training split",
    "floor:nearest-text": "Nearest training questions by text",
    "floor:nearest-box": "Phrase of the nearest training boxes",
    "floor:nearest-text-same-image": "Same-image questions counting double, nearest by text",
    "floor:constant": "One training report for all",
    "floor:constant-report": "One training report for all",
    "floor:whole-image": "Whole image",
    "floor:median-box": "Median training box",
    "floor:median-box-category": "Median training box of the category",
    "floor:median-box-category-place": "Median training box of category and place",
    "floor:always-none": "No box, whatever is asked",
    "floor:none-or-median-box": "No box or the median, as most training phrases have it",
    "floor:nearest-image": "Boxes of the most similar training image",
    "ceiling:bins": "Reference boxes, written and read back",
    "ceiling:boxes": "Reference boxes",
    "ceiling:readers": "Another reader's boxes",
}

_SHORT = {
    "blind": "blind",
    "vocabulary": "closed vocabulary",
    "neighbours": "with neighbours",
    "floor:whole-image": "whole image",
    "floor:median-box": "median",
    "floor:median-box-category": "by category",
    "floor:median-box-category-place": "by place",
    "floor:always-none": "none",
    "floor:none-or-median-box": "none or median",
    "floor:nearest-image": "by image",
    "ceiling:bins": "ceiling",
    "ceiling:boxes": "reference boxes",
    "ceiling:readers": "readers",
}

_KINDS = ("model", "blind", "floor", "ceiling", "published")


@dataclass(frozen=True)
class Cell:
    """One number as it is shown."""

    text: str
    interval: str
    """`68.5-74.2` with an en dash, why there is none, or empty."""
    n: int
    title: str
    """Everything the score says: value, interval and how it was made, n, implementation."""
    value: float
    """The number itself, shares in [0, 1]."""
    low: float | None = None
    high: float | None = None


def cell_of(score: Score) -> Cell:
    """Return a score as it is shown: shares in percent with one decimal, others with three."""
    proof = [f"{score.metric}, {score.group}: {score.value:.6g}"]
    interval = ""
    if score.low is not None and score.high is not None:
        interval = f"{shown(score, score.low)}–{shown(score, score.high)}"  # noqa: RUF001
        proof.append(f"interval {score.low:.6g} to {score.high:.6g} ({score.interval})")
    elif score.interval:
        interval = why_none(score.interval)
        proof.append(f"interval {score.interval}")
    if score.n:
        proof.append(f"n = {score.n:,}")
    title = "; ".join([*proof, score.implementation])
    return Cell(shown(score, score.value), interval, score.n, title, score.value, score.low, score.high)


def shown(score: Score, value: float) -> str:
    """Return `value` with the digits of the score's metric."""
    return shown_value(score.metric, value)


def shown_value(metric: str, value: float) -> str:
    """Return `value` with the digits of a metric, shares in percent."""
    text = f"{100 * value:.1f}" if is_share(metric) else f"{value:.3f}"
    return text if float(text) else text.removeprefix("-")  # rounded to nothing, it has no sign


def is_share(metric: str) -> bool:
    """Return whether the metric is a share, shown in percent."""
    return metric_of(metric).unit == "%"


def is_boxes(metric: str) -> bool:
    """Return whether the metric says how good boxes are."""
    return metric_of(metric).section in ("boxes", "categories")


def is_text(metric: str) -> bool:
    """Return whether the metric is one of reports and captions."""
    return metric_of(metric).section == "texts"


def is_judged(metric: str) -> bool:
    """Return whether the metric is a judge's or human raters' share of right answers."""
    return metric_of(metric).section == "judged"


def is_wasm(metric: str) -> bool:
    """Return whether the metric is the mean level that a judge or human raters gave."""
    return metric_of(metric).section == "levels"


def is_incomparable(score: Score) -> bool:
    """Return whether a published figure says of itself that it was measured otherwise."""
    return "not comparable" in score.implementation.lower()


def kind_of(system: str) -> str:
    """Return a kind of `_KINDS` or `other`; `run:NAME` is a model among several."""
    kind = system.partition(":")[0]
    if kind == "run":
        return "model"
    return kind if kind in _KINDS else "other"


def system_label(system: str) -> str:
    """Return what a system is called on the page."""
    return _SYSTEMS.get(system) or system.partition(":")[2] or system


def short_label(system: str) -> str:
    """Return one or two words for a system, for the head of a narrow column."""
    label = system_label(system)
    return _SHORT.get(system) or (label if kind_of(system) == "published" else label.split(" ")[0].lower())


def mark_of(score: Score) -> tuple[str, float, str]:
    """Return a score as a tick of a chart: its kind, value and label."""
    return kind_of(score.system), score.value, f"{system_label(score.system)}: {cell_of(score).text}"


def metric_title(metric: str) -> str:
    """Return what a metric is called on the page: `judge_accuracy:gpt` is `Judge gpt`."""
    about, name = metric_of(metric), metric.partition(":")[2]
    return f"{about.title} {name}".strip() if about.section != "other" else about.title


def of_split(scores: Iterable[Score], dataset: str, split: str) -> list[Score]:
    """Return the scores of one split of one data set."""
    return [score for score in scores if score.dataset == dataset and score.split == split]
