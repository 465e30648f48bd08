"""The table of metrics as the list in docs/metrics.md; a test compares the two."""

from __future__ import annotations

from pefomed.metrics.known import METRICS, PRESETS
from pefomed.metrics.metric import Metric

_HEAD = ("metric", "of answers in", "range", "per", "better", "is")


def markdown() -> str:
    """Return a table of all metrics; those of texts once for all ways of making words."""
    endings = [ending for ending in PRESETS if ending]
    rows = [
        _row(metric, endings)
        for metric in METRICS.values()
        if not (metric.preset and metric.name.endswith(tuple(endings)))
    ]
    lines = [_HEAD, ("---",) * len(_HEAD), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(metric: Metric, endings: list[str]) -> tuple[str, ...]:
    name = f"`{metric.name}`"
    if metric.preset:
        name += ", " + ", ".join(f"`{ending}`" for ending in endings)
    kinds = ", ".join(dict.fromkeys(kind.replace("text", "texts") for kind in metric.kinds))
    per = "right or wrong" if metric.binary else metric.per
    span = f"{metric.least:g} to {metric.most:g}"
    return (name, kinds, span, per, metric.better, metric.definition)
