"""Scores of a list of answers: every metric for every group, each with its interval and n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.errors import DataError
from pefomed.evaluation.groups import OVERALL, groups_of
from pefomed.metrics.known import CLOSED
from pefomed.metrics.lookup import metric_of
from pefomed.metrics.references import Reference
from pefomed.metrics.statistics.interval import DRAWS, Interval, mean_interval
from pefomed.metrics.word_values import word_values
from pefomed.metrics.words import TOKENIZER
from pefomed.schema import Score


@dataclass(frozen=True)
class Questions:
    """What is answered: the references of N items, their images' numbers and their groups."""

    dataset: str
    split: str
    references: Sequence[Reference]
    clusters: NDArray[np.int64]
    """Number of each item's image, shape (N,)."""
    groups: Mapping[str, NDArray[np.int64]]
    """Group -> positions of its items."""
    by: str = "image"
    """What a cluster is."""
    draws: int = DRAWS
    seed: int = 0


def check_lists(
    references: Sequence[object],
    predictions: Sequence[object],
    images: Sequence[str] | None,
    metas: Sequence[Mapping[str, str]] | None,
    remedy: str,
) -> None:
    """Check that the lists to score are equally long.

    Raises:
        DataError: they differ in length or are empty.
    """
    lengths = {"references": len(references), "predictions": len(predictions)}
    lengths |= {"images": len(images)} if images is not None else {}
    lengths |= {"metas": len(metas)} if metas is not None else {}
    if len(set(lengths.values())) > 1 or not references:
        raise DataError(
            "the lists to score must be equally long and not empty",
            found=", ".join(f"{name}: {length}" for name, length in lengths.items()),
            remedy=remedy,
        )


def listed(
    references: Sequence[Reference],
    images: Sequence[str] | None,
    metas: Sequence[Mapping[str, str]] | None,
    dataset: str,
    split: str,
    draws: int,
    seed: int,
) -> Questions:
    """Return the questions of lists: without images every item stands alone, without metas in no group."""
    return Questions(
        dataset=dataset,
        split=split,
        references=references,
        clusters=numbered(images if images is not None else range(len(references))),
        groups=groups_of(metas if metas is not None else [{}] * len(references)),
        by="item" if images is None else "image",
        draws=draws,
        seed=seed,
    )


def numbered(names: Sequence[object]) -> NDArray[np.int64]:
    """Return a number for each name, equal for equal names, shape (N,)."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def score_answers(questions: Questions, answers: Sequence[str], system: str, how: str = "") -> list[Score]:
    """Return every exact match for every group; `how` says how the answers came about."""
    return score_values(questions, word_values(questions.references, answers, "exact"), system, how)


def score_overlap(
    questions: Questions,
    answers: Sequence[str],
    system: str,
    how: str = "",
    closed: NDArray[np.bool_] | None = None,
) -> list[Score]:
    """Return the overlap of words for every group, and the accuracy of closed questions.

    Args:
        closed: which questions the data set calls closed, shape (N,); None where it does not say.
    """
    return score_word_values(
        questions, word_values(questions.references, answers, "words", "closed"), system, how, closed
    )


def score_word_values(
    questions: Questions,
    values: Mapping[str, NDArray[np.float64]],
    system: str,
    how: str = "",
    closed: NDArray[np.bool_] | None = None,
) -> list[Score]:
    """Return the same of the values of each answer: metric -> (N,)."""
    how = f"tokenizer: {TOKENIZER}" + (f"; {how}" if how else "")
    of_closed = {name: each for name, each in values.items() if metric_of(name).section == "closed"}
    others = {name: each for name, each in values.items() if name not in of_closed}
    scores = score_values(questions, others, system, how)
    if closed is None or not closed.any():
        return scores
    # Not overall: that would read as all questions. Where all are closed there is no group of these yet.
    groups = {name: places[closed[places]] for name, places in questions.groups.items() if name != OVERALL}
    groups.setdefault(CLOSED, np.flatnonzero(closed))
    only_closed = replace(questions, groups={name: places for name, places in groups.items() if len(places)})
    return scores + score_values(only_closed, of_closed, system, how)


def score_values(
    questions: Questions, values: Mapping[str, NDArray[np.float64]], system: str, how: str = ""
) -> list[Score]:
    """Return the mean of each metric's values, (N,), for every group."""
    return [
        _score(questions, name, system, group, each, places, said(name, how))
        for name, each in values.items()
        for group, places in questions.groups.items()
    ]


def score_present(
    questions: Questions, values: Mapping[str, NDArray[np.float64]], system: str, how: str = ""
) -> list[Score]:
    """Return the mean of each metric's values, (N,), for every group that has items with one; NaN is none."""
    scores = []
    for name, column in values.items():
        for group, places in questions.groups.items():
            chosen = places[~np.isnan(column[places])]
            if len(chosen):
                scores.append(_score(questions, name, system, group, column, chosen, said(name, how)))
    return scores


def score_share(
    questions: Questions, marks: Sequence[bool] | Sequence[float], metric: str, system: str, how: str = ""
) -> Score:
    """Return the share of marked answers over all questions; `how` says more than the metric's definition."""
    values = np.array(marks, dtype=np.float64)
    return _score(questions, metric, system, OVERALL, values, np.arange(len(values)), said(metric, how))


def said(metric: str, how: str = "") -> str:
    """Return what a score says of what computed it."""
    return f"pefomed {__version__}, {metric}: {metric_of(metric).definition}" + (f"; {how}" if how else "")


def made_score(
    questions: Questions,
    metric: str,
    system: str,
    group: str,
    value: float,
    interval: Interval | None,
    n: int,
    implementation: str,
) -> Score:
    """Return a figure and its interval as a score of these questions."""
    return Score(
        metric=metric,
        system=system,
        dataset=questions.dataset,
        split=questions.split,
        group=group,
        value=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.how if interval else "",
        n=n,
        implementation=implementation,
    )


def _score(
    questions: Questions,
    metric: str,
    system: str,
    group: str,
    values: NDArray[np.float64],
    places: NDArray[np.int64],
    implementation: str,
) -> Score:
    chosen = values[places]
    interval = mean_interval(chosen, questions.clusters[places], draws=questions.draws, by=questions.by)
    mean = float(chosen.mean())
    return made_score(questions, metric, system, group, mean, interval, len(chosen), implementation)
