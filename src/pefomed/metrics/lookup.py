"""What is known of the metric of a score: its entry in the table, or a plug-in's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pefomed.metrics.known import METRICS
from pefomed.metrics.metric import Metric, TableSection
from pefomed.tasks.task import AnswerKind

_ALIASES = {"judge": "judge_accuracy", "human": "human_accuracy"}
"""Names in rows of published figures."""

_PLUGINS: ContextVar[tuple[Metric, ...]] = ContextVar("plug-in metrics", default=())


@contextmanager
def with_plugins(metrics: Iterable[Metric]) -> Iterator[None]:
    """Know these metrics too while the block runs; of two with the same name the later."""
    token = _PLUGINS.set((*_PLUGINS.get(), *metrics))
    try:
        yield
    finally:
        _PLUGINS.reset(token)


def table() -> dict[str, Metric]:
    """Return name -> metric of all that are known here, plug-ins last."""
    return METRICS | {metric.name: metric for metric in _PLUGINS.get()}


def canonical(name: str) -> str:
    """Return the name our own scores use for a published figure's metric."""
    return _ALIASES.get(name, name)


def metric_of(name: str) -> Metric:
    """Return what is known of a score's metric; one that nobody knows is shown as it is.

    Args:
        name: as in a score, with a judge's name behind a colon or without.
    """
    plain = canonical(name.partition(":")[0])
    known = table().get(plain)
    return known or Metric(plain, name.replace("_", " ").strip().capitalize(), "other", (), "", unit="")


def metrics_of(*sections: TableSection) -> tuple[Metric, ...]:
    """Return the metrics of these sections, in the table's order."""
    return tuple(metric for metric in table().values() if metric.section in sections)


def named(*sections: TableSection) -> tuple[str, ...]:
    """Return the names of the metrics of these sections, in the table's order."""
    return tuple(metric.name for metric in metrics_of(*sections))


def of_rater(section: TableSection, rater: str = "") -> Metric:
    """Return what verdicts of a kind of rater are scored as; by default what one rater said of two runs.

    Args:
        section: `judged` or `levels`.
    """
    return next(metric for metric in metrics_of(section) if metric.rater == rater)


def correctness() -> Metric:
    """Return the metric that says which answers are called right."""
    return next(metric for metric in METRICS.values() if metric.correctness)


def heads(kind: AnswerKind) -> list[tuple[Metric, str]]:
    """Return `(metric, group)` of what stands first of such answers, the headline first."""
    places = [
        (place.rank, number, metric, place.group)
        for number, metric in enumerate(table().values())
        for place in metric.first
        if place.kind == kind
    ]
    return [(metric, group) for _, _, metric, group in sorted(places, key=lambda each: each[:2])]
