"""Every coefficient of one split: judge and human, metric and human, within a panel, and the spreads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from pefomed.agreement.alpha import krippendorff_alpha
from pefomed.agreement.coefficient import Coefficient, Floats
from pefomed.agreement.correlation import bias, kendall_tau_b, pearson_r, spearman_rho
from pefomed.agreement.kappa import cohen_kappa, fleiss_kappa, mean_cohen_kappa
from pefomed.agreement.panels import RaterPanel
from pefomed.agreement.records import Agreement, Between
from pefomed.agreement.records import agreement as recorded
from pefomed.agreement.splits import RatedSplit
from pefomed.agreement.spread import equal_share, flip_share, sd_difference, sd_of_means
from pefomed.metrics.lookup import table
from pefomed.tasks import TASKS

CORRELATIONS = {"kendall_tau_b": kendall_tau_b, "spearman": spearman_rho, "pearson": pearson_r}


def compare(split: RatedSplit, panels: Sequence[RaterPanel], draws: int, seed: int) -> list[Agreement]:
    """Return all coefficients of the panels of one split; what cannot be computed carries its reason."""
    agreements: list[Agreement] = []
    record = partial(recorded, dataset=split.dataset, split=split.split, scale=split.scale)
    how: dict[str, Any] = {"clusters": split.clusters, "draws": draws, "seed": seed}
    humans = [panel for panel in panels if panel.kind == "human"]
    judges = [panel for panel in panels if panel.kind != "human"]
    for judge in judges:
        for human in humans:
            names: dict[str, Any] = {
                "one": judge.title,
                "other": human.title,
                "raters": judge.raters + human.raters,
            }
            for name, coefficient in _of_two(judge, human, how):
                left_out = _ties(judge, human) if name in _OF_MAJORITY else ""
                agreements.append(
                    record(coefficient, between="judge-human", coefficient=name, left_out=left_out, **names)
                )
    for metric, values in _item_metrics(split).items():
        for panel in panels:
            between: Between = "metric-human" if panel.kind == "human" else "metric-judge"
            names = {"one": metric, "other": panel.title, "raters": panel.raters}
            for name, coefficient in _of_metric(metric, values, panel, how):
                left_out = _ties(panel) if name in _OF_MAJORITY else ""
                agreements.append(
                    record(coefficient, between=between, coefficient=name, left_out=left_out, **names)
                )
    for panel in panels:
        within: Between = "human-human" if panel.kind == "human" else "run-run"
        names = {"one": panel.title, "raters": panel.raters}
        for name, coefficient in _within(panel, how):
            agreements.append(record(coefficient, between=within, coefficient=name, **names))
        sd = sd_of_means(panel.ratings, **how)
        agreements.append(record(sd, between="spread", coefficient="sd_of_means", **names))
    for human in humans:
        for judge in judges:
            both = ~np.isnan(np.hstack((human.ratings, judge.ratings))).any(axis=1)
            common = how | {"clusters": split.clusters[both]}
            for one, other in ((human, judge), (judge, human)):
                names = {"one": one.title, "other": other.title, "raters": one.raters}
                sd = sd_of_means(one.ratings[both], **common)
                agreements.append(record(sd, between="spread-difference", coefficient="sd_of_means", **names))
            sd = sd_difference(human.ratings, judge.ratings, **how)
            names = {"one": human.title, "other": judge.title, "raters": human.raters + judge.raters}
            agreements.append(record(sd, between="spread-difference", coefficient="sd_difference", **names))
    return agreements


def _item_metrics(split: RatedSplit) -> dict[str, Floats]:
    """Return each metric's value of every item, NaN where it was not answered: name -> (N,).

    Those of the table that stand beside labels and are of such answers: of words the exact matches, of texts
    BLEU-4, ROUGE-L and CIDEr of the single text in every preset, of both the user's own. Names as in
    `scores.jsonl`.
    """
    kinds = {TASKS[sample.task].answer for sample in split.samples}
    beside = {
        name for name, metric in table().items() if metric.beside_labels and kinds.intersection(metric.kinds)
    }
    keys = [(sample.id, None) for sample in split.samples]
    columns = {name: split.values.column(name, keys) for name in split.values.metrics() if name in beside}
    return {name: column for name, column in columns.items() if not np.isnan(column).all()}


_OF_MAJORITY = ("equal_share", "cohen_kappa", "cohen_kappa_quadratic")
"""Coefficients of joint labels; the others are of mean labels."""


def _of_two(one: RaterPanel, other: RaterPanel, how: dict[str, Any]) -> Iterator[tuple[str, Coefficient]]:
    yield "equal_share", equal_share(one.majority, other.majority, **how)
    yield "cohen_kappa", cohen_kappa(one.majority, other.majority, **how)
    if one.scale == "level":
        yield "cohen_kappa_quadratic", cohen_kappa(one.majority, other.majority, quadratic=True, **how)
    for name, correlation in CORRELATIONS.items():
        yield name, correlation(one.means, other.means, **how)
    yield "bias", bias(one.means, other.means, **how)


def _of_metric(
    metric: str, values: Floats, panel: RaterPanel, how: dict[str, Any]
) -> Iterator[tuple[str, Coefficient]]:
    if panel.scale == "binary":
        yield "equal_share", equal_share(values, panel.majority, **how)
        yield "cohen_kappa", cohen_kappa(values, panel.majority, **how)
    for name, correlation in CORRELATIONS.items():
        yield name, correlation(values, panel.means, **how)
    if panel.scale == "binary":
        yield "bias", bias(values, panel.means, **how)


def _within(panel: RaterPanel, how: dict[str, Any]) -> Iterator[tuple[str, Coefficient]]:
    yield "flip_share", flip_share(panel.ratings, **how)
    yield "mean_cohen_kappa", mean_cohen_kappa(panel.ratings, **how)
    if panel.scale == "level":
        yield "mean_cohen_kappa_quadratic", mean_cohen_kappa(panel.ratings, quadratic=True, **how)
    yield "fleiss_kappa", fleiss_kappa(panel.ratings, **how)
    yield "krippendorff_nominal", krippendorff_alpha(panel.ratings, **how)
    if panel.scale == "level":
        yield "krippendorff_ordinal", krippendorff_alpha(panel.ratings, "ordinal", **how)


def _ties(*panels: RaterPanel) -> str:
    tied = [f"{panel.ties} by {panel.title}" for panel in panels if panel.ties]
    return f"tied items left out: {', '.join(tied)}" if tied else ""
