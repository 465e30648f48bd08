"""Scores of a user's own metrics: for every group and system, with intervals as our own have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.evaluation.answered_split import AnsweredSplit, System
from pefomed.evaluation.item_records import OWN, answer_items
from pefomed.evaluation.score import Questions, made_score
from pefomed.metrics.metric import Metric
from pefomed.metrics.plugin_values import plugin_values
from pefomed.metrics.plugins import checked, raised
from pefomed.metrics.references import each_of
from pefomed.metrics.statistics.interval import NONE, Interval, figure_intervals, mean_interval
from pefomed.schema import Sample, Score
from pefomed.tasks import TASKS

MOST_ITEMS = 2000
"""Items above which a figure of the whole corpus has no interval: it is computed anew without each image."""

_REMADE = 200  # times at most


def plugin_scores(
    answered: AnsweredSplit, samples: Sequence[Sample], systems: Sequence[System]
) -> list[Score]:
    """Return the scores of the user's own metrics and each system, of the samples whose answers they are for.

    Raises:
        DataError: a metric fails; the sample is named.
    """
    scores: list[Score] = []
    for metric in answered.run.plugins:
        places = [place for place, sample in enumerate(samples) if TASKS[sample.task].answer in metric.kinds]
        if not places:
            continue
        chosen = [samples[place] for place in places]
        questions = answered.questions(chosen)
        for system in systems:
            answers = system.only(places).answers
            if metric.per == "corpus":
                figures = _of_corpus(metric, chosen, answers, questions)
            else:
                values = plugin_values(metric, chosen, answers)
                figures = item_figures(metric, values, questions)
                if system.name in OWN:
                    answered.keep(answer_items(chosen, answers, system.name, {metric.name: values}))
            how = f"pefomed {__version__}, {metric.name}: {metric.definition}; {metric.implementation}"
            how += f"; {system.how}" if system.how else ""
            scores += [
                made_score(questions, metric.name, system.name, group, value, interval, n, how)
                for group, value, interval, n in figures
            ]
    return scores


Found = list[tuple[str, float, Interval | None, int]]


def item_figures(metric: Metric, values: NDArray[np.float64], questions: Questions) -> Found:
    """Return (group, mean, interval, n) of the values of items, (N,), for every group."""
    figures: Found = []
    for group, places in questions.groups.items():
        chosen = values[places] - metric.least
        interval = mean_interval(
            chosen,
            questions.clusters[places],
            top=metric.most - metric.least,
            draws=questions.draws,
            by=questions.by,
        )
        figures.append((group, float(values[places].mean()), _moved(interval, metric.least), len(places)))
    return figures


def _of_corpus(
    metric: Metric, samples: Sequence[Sample], answers: Sequence[str], questions: Questions
) -> Found:
    function: Any = metric.function
    references = [each_of(sample.references) for sample in samples]

    def value(places: Sequence[int]) -> float:
        of = f"{len(places):,} answers of {questions.dataset}"
        try:
            made = function([references[place] for place in places], [answers[place] for place in places])
        except Exception as error:  # whatever a function of somebody else raises
            raise raised(metric, error, of) from error
        return checked(metric, made, of)

    found: Found = []
    for group, places in questions.groups.items():

        def figures(totals: NDArray[np.float64], places: NDArray[np.int64] = places) -> NDArray[np.float64]:
            rows = [places[row > 0.5].tolist() for row in totals]
            return np.array([[value(row) - metric.least if row else np.nan] for row in rows])

        if len(places) > MOST_ITEMS:
            why = f"{NONE}too many items: {len(places):,}, of a figure that is made anew without each image"
            interval: Interval | None = Interval(None, None, why)
        else:
            [interval] = figure_intervals(
                np.eye(len(places)),
                questions.clusters[places],
                figures,
                tops=(metric.most - metric.least,),
                draws=min(questions.draws, _REMADE),
                seed=questions.seed,
                by=questions.by,
            )
        found.append((group, value(places.tolist()), _moved(interval, metric.least), len(places)))
    return found


def _moved(interval: Interval | None, by: float) -> Interval | None:
    if interval is None or interval.low is None or interval.high is None:
        return interval
    return Interval(interval.low + by, interval.high + by, interval.how)
