"""A score as it is shown: its digits, its interval, its proof, and the names of metrics and systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pefomed.evaluate import absent, sides
from pefomed.evaluate.verdicts import KINDS
from pefomed.metrics.statistics.interval import why_none
from pefomed.schema import Score

OVERALL = "overall"

PRIMARY = "exact_match"
"""The metric of the headline and of the charts by group."""

SPOKEN = ("closed_accuracy", "token_recall")
"""Metrics that look into answers in whole sentences; the last is of all questions."""

IOU = "iou"
"""The metric of boxes that headline, charts and floors are about."""

BOXES = (
    "iou",
    "dice",
    "acc_0.3",
    "acc_0.5",
    "acc_0.7",
    "pointing",
    "box_precision",
    "box_recall",
    "mask_dice",
    "n_acc",
    "t_acc",
)
"""Metrics of boxes, as means over phrases."""

BOXES_MACRO = ("iou_macro", "dice_macro", "acc_0.5_macro")
"""Metrics of boxes, as means over categories."""

SIDE_RATES = tuple(sides.DEFINITIONS)
"""Metrics of left and right mistaken, in a table of their own."""

RATES = ("unparsable_rate", "repaired_rate", "empty_rate", "cut_rate")
"""Metrics that say how answers came out, not how good they are."""

JUDGED = tuple(f"{name}_accuracy" for name in KINDS.values())
"""Shares of right answers by others than exact match; of several judges each has its name behind a colon."""

PRESET, GIVEN = "_r2gen", "_given"
"""What the names of metrics end in: in R2Gen's preset, and of tokens as they were given."""

_ALIASES = {"judge": "judge_accuracy", "human": "human_accuracy"}
"""Names in rows of published figures."""

_SHARES = {
    PRIMARY: "Exact match",
    "exact_match_vqa": "Exact match, VQA-style",
    "judge_accuracy": "Judge",
    "offline_judge_accuracy": "Offline judge",
    "model_rater_accuracy": "Model rater",
    "human_accuracy": "Human raters",
    "closed_accuracy": "Closed accuracy",
    "token_recall": "Token recall",
    "token_precision": "Token precision",
    "token_f1": "Token F1",
    "llava_med_recall": "Token recall, LLaVA-Med's",
    "box_precision": "Precision",
    "box_recall": "Recall",
    "pointing": "Pointing",
    absent.N_ACC: "No-target accuracy",
    absent.T_ACC: "Target accuracy",
    sides.MISTAKES: "Left and right mistaken",
    sides.NAMED: "Left and right mistaken where the phrase says it",
    "unparsable_rate": "Answers without a readable box",
    "repaired_rate": "Answers repaired",
    "empty_rate": "Empty answers",
    "cut_rate": "Answers cut at the limit",
} | {f"acc_{share}": f"Acc@{share}" for share in ("0.3", "0.5", "0.7")}
"""Metrics that are shares, shown in percent."""

_PLAIN = {
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "iou": "IoU",
    "dice": "Dice",
    "mask_dice": "Dice with the mask",
    "wasm_judge": "WASM, judge",
    "wasm_offline_judge": "WASM, offline judge",
    "wasm_model_rater": "WASM, model rater",
    "wasm_human": "WASM, human raters",
} | {f"bleu_{n}": f"BLEU-{n}" for n in range(1, 5)}
"""Metrics shown as they are, like every metric that is not named here."""

_SYSTEMS = {
    "model": "This model",
    "blind": "This model, blind",
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

_MACRO = "_macro"


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
    return f"{100 * value:.1f}" if is_share(score.metric) else f"{value:.3f}"


def canonical(metric: str) -> str:
    """Return the name our own scores use for a published figure's metric."""
    return _ALIASES.get(metric, metric)


def is_share(metric: str) -> bool:
    """Return whether the metric is a share, shown in percent."""
    return _base(metric).removesuffix(_MACRO) in _SHARES


def is_boxes(metric: str) -> bool:
    """Return whether the metric says how good boxes are."""
    return metric in BOXES or metric in BOXES_MACRO


def is_judged(metric: str) -> bool:
    """Return whether the metric is a judge's or human raters' share of right answers."""
    return _base(metric) in JUDGED


def is_wasm(metric: str) -> bool:
    """Return whether the metric is the mean level that a judge or human raters gave."""
    return metric.startswith("wasm_")


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
    name = metric.partition(":")[2]
    title = _SHARES.get(_base(metric)) or _PLAIN.get(_base(metric))
    if title is None and is_boxes(metric):
        return f"{metric_title(metric.removesuffix(_MACRO))}, mean of categories"
    for suffix, preset in ((PRESET, "r2gen"), (GIVEN, "as given")):
        if title is None and _base(metric).endswith(suffix):
            return f"{metric_title(_base(metric).removesuffix(suffix))} ({preset})"
    if title is None:
        return metric.replace("_", " ").strip().capitalize()
    return f"{title} {name}".strip()


def of_split(scores: Iterable[Score], dataset: str, split: str) -> list[Score]:
    """Return the scores of one split of one data set."""
    return [score for score in scores if score.dataset == dataset and score.split == split]


def _base(metric: str) -> str:
    return canonical(metric.partition(":")[0])
