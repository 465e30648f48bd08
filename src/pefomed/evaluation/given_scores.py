"""Scores of values that were computed elsewhere: for every group and system, with intervals as ours have."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from pefomed import __version__
from pefomed.errors import DataError
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.item_records import OWN
from pefomed.evaluation.plugin_scores import item_figures
from pefomed.evaluation.score import made_score
from pefomed.metrics.metric import Metric
from pefomed.runs import Split
from pefomed.schema import ItemScore, Score


def given_scores(answered: AnsweredSplit) -> list[Score]:
    """Return the scores of the values given for this split; those without a value are said, by reason.

    Raises:
        DataError: values are of a system that has not answered.
    """
    records = answered.run.given.values.get(Split(answered.dataset, answered.split), ())
    answered.keep(records)
    scores: list[Score] = []
    for metric in answered.run.given.metrics:
        by_system: dict[str, dict[str, ItemScore]] = {}
        for one in records:
            if one.metric == metric.name:
                by_system.setdefault(one.system, {})[one.sample_id] = one
        for system, found in by_system.items():
            scores += _of_system(answered, metric, system, found)
    return scores


def _of_system(
    answered: AnsweredSplit, metric: Metric, system: str, found: dict[str, ItemScore]
) -> list[Score]:
    if system in OWN and system not in {each.name for each in answered.systems}:
        raise DataError(
            f"{answered.name}: values of {metric.name!r} are given for the system {system!r}",
            found="a run without such answers",
            remedy="leave these rows out, or predict with `blind = true`",
        )
    samples = [sample for sample in answered.samples if sample.id in found]
    records = [found[sample.id] for sample in samples]
    values = np.array([np.nan if one.value is None else one.value for one in records], dtype=np.float64)
    for why, count in Counter(one.why for one in records if one.value is None).items():
        answered.run.events.append(
            f"{answered.name}: {count:,} of {len(records):,} answers have no {metric.name}, {system}: {why}"
        )
    questions = answered.questions(samples)
    known = {name: places[~np.isnan(values[places])] for name, places in questions.groups.items()}
    questions = replace(questions, groups={name: places for name, places in known.items() if len(places)})
    how = f"pefomed {__version__}, {metric.name}: {metric.definition}; {metric.implementation}"
    return [
        made_score(questions, metric.name, system, group, value, interval, n, how)
        for group, value, interval, n in item_figures(metric, values, questions)
    ]
