"""Values by sample that were computed elsewhere: `evaluate --scores FILE`, and those given before.

A row for each value: `sample_id` (or `id`), `metric`, `value`, and if there are any `system` (`model`, the
default, `blind`, or a floor), `dataset`, `split`, and `why`, which says why a value is empty: such an answer
has none and counts nowhere, not as 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pefomed.errors import DataError, listed, nearest
from pefomed.evaluation.given_metric import EXAMPLE, check_name
from pefomed.evaluation.item_records import MODEL, OWN
from pefomed.evaluation.origin import read_item_scores
from pefomed.evaluation.own_metrics import given_metrics
from pefomed.files.rows import read_table
from pefomed.metrics.metric import Metric
from pefomed.runs import Split
from pefomed.schema import ItemScore, Sample
from pefomed.tasks import TASKS

_IDS = ("sample_id", "id")
_NONE = ("", "nan", "none", "null", "na", "n/a")
_FLOOR = "floor:"


class Given(NamedTuple):
    """Metrics whose values were computed elsewhere, and their values by split."""

    metrics: tuple[Metric, ...] = ()
    values: Mapping[Split, Sequence[ItemScore]] = {}


def read_given(
    path: Path, declared: Mapping[str, Metric], answered: Mapping[Split, Sequence[Sample]]
) -> Given:
    """Return what a table says of the answered samples.

    Raises:
        DataError: the table cannot be read; ids are unknown, missing or doubled; a metric is not declared or
            one of ours; a value is none, or outside of the declared range. Place or ids are named.
    """
    found: dict[tuple[Split, str, str], dict[str, ItemScore]] = {}
    places = _by_id(answered)
    for place, row in read_table(path):
        split, one = _record(place, row, declared, places)
        of_metric = found.setdefault((split, one.metric, one.system), {})
        if one.sample_id in of_metric:
            raise DataError(
                f"{place}: the sample {one.sample_id!r} has two values of {one.metric!r}, {one.system}",
                found=f"{of_metric[one.sample_id].value} and {one.value}",
                remedy="keep one row for each sample, metric and system",
            )
        of_metric[one.sample_id] = one
    if not found:
        raise DataError(f"{path} holds no row", remedy="give a row for each sample and metric")
    _check_complete(path, found, answered)
    values: dict[Split, list[ItemScore]] = {}
    for (split, _, _), records in found.items():
        values.setdefault(split, []).extend(records.values())
    return Given(_of_kinds(declared, found, answered), values)


def given_before(run: Path, answered: Iterable[Split], but: Sequence[str], events: list[str]) -> Given:
    """Return the values that were given to a former evaluation, if they are of the answers there now.

    Args:
        but: metrics that are not wanted: they are given anew.
        events: gets a sentence about those that are of other answers.
    """
    metrics = [metric for metric in given_metrics(run) if metric.name not in but]
    if not metrics:
        return Given()
    names, values = {metric.name for metric in metrics}, {}
    for split in answered:
        written = read_item_scores(run, split)
        if written is None:
            events.append(
                f"{split.dataset}, {split.name}: the values given before ({', '.join(sorted(names))}) are of"
                " other answers or another version: left out; give them again with --scores"
            )
        elif kept := [one for one in written if one.metric in names]:
            values[split] = kept
    there = {one.metric for records in values.values() for one in records}
    return Given(tuple(metric for metric in metrics if metric.name in there), values)


def joined(first: Given, second: Given) -> Given:
    """Return what both hold."""
    values = {split: [*records] for split, records in first.values.items()}
    for split, records in second.values.items():
        values.setdefault(split, []).extend(records)
    return Given((*first.metrics, *second.metrics), values)


def _by_id(answered: Mapping[Split, Sequence[Sample]]) -> dict[str, list[Split]]:
    found: dict[str, list[Split]] = {}
    for split, samples in answered.items():
        for sample in samples:
            found.setdefault(sample.id, []).append(split)
    return found


def _record(
    place: str, row: Mapping[str, Any], declared: Mapping[str, Metric], places: Mapping[str, list[Split]]
) -> tuple[Split, ItemScore]:
    sample_id = _text(row, *_IDS)
    name, system = _text(row, "metric"), _text(row, "system") or MODEL
    if not sample_id or not name or "value" not in row:
        raise DataError(
            f"{place}: a value needs its sample, its metric and itself",
            found=f"the columns {listed(list(row), most=12)}",
            remedy="give the columns sample_id, metric and value, filled in",
        )
    check_name(name, place)
    if name not in declared:
        raise DataError(
            f"{place}: nothing is declared of the metric {name!r}",
            remedy=f"say its range and direction: {EXAMPLE.replace('my_metric', name)}"
            + (f"; {nearest(name, declared)}" if declared else ""),
        )
    if system not in OWN and not system.startswith(_FLOOR):
        raise DataError(f"{place}: unknown system {system!r}", remedy="use model, blind or a floor's name")
    value = _value(place, row["value"], declared[name])
    why = _text(row, "why")
    if value is None and not why:
        raise DataError(
            f"{place}: the sample {sample_id!r} has no value of {name!r}",
            found=repr(row["value"]),
            remedy="write the number, or why there is none in a column `why`; it then counts nowhere",
        )
    split = _split_of(place, row, sample_id, places)
    why = "" if value is not None else why
    return split, ItemScore(sample_id=sample_id, system=system, metric=name, value=value, why=why)


def _value(place: str, cell: Any, metric: Metric) -> float | None:
    if cell is None or str(cell).strip().lower() in _NONE:
        return None
    try:
        number = math.nan if isinstance(cell, bool) else float(str(cell).strip())
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{place}: a value of {metric.name!r} is no number", found=f"{cell!r:.60}")
    if not metric.least <= number <= metric.most:
        raise DataError(
            f"{place}: a value of {metric.name!r} is outside of its declared range",
            found=f"{number:g}, and it is declared as {metric.least:g} to {metric.most:g}",
            remedy="mend the value or declare the range that the metric has",
        )
    return number


def _split_of(place: str, row: Mapping[str, Any], sample_id: str, places: Mapping[str, list[Split]]) -> Split:
    dataset, name = _text(row, "dataset"), _text(row, "split")
    known = places.get(sample_id, [])
    fit = [each for each in known if dataset in ("", each.dataset) and name in ("", each.name)]
    if not fit:
        where = " ".join(part for part in (dataset, name) if part)
        raise DataError(
            f"{place}: the run has not answered the sample {sample_id!r}" + (f" of {where}" if where else ""),
            remedy="give values of this run's samples, by the ids in its samples/",
        )
    if len(fit) > 1:
        raise DataError(
            f"{place}: the sample {sample_id!r} is in several splits",
            found=listed([f"{each.dataset} {each.name}" for each in fit]),
            remedy="add the columns `dataset` and `split`",
        )
    return fit[0]


def _check_complete(
    path: Path,
    found: Mapping[tuple[Split, str, str], Mapping[str, ItemScore]],
    answered: Mapping[Split, Sequence[Sample]],
) -> None:
    """Check that a metric has a row for each sample of the tasks that it is of."""
    for (split, metric, system), records in found.items():
        tasks = {sample.task for sample in answered[split] if sample.id in records}
        wanted = [sample.id for sample in answered[split] if sample.task in tasks]
        missing = [sample_id for sample_id in wanted if sample_id not in records]
        if missing:
            raise DataError(
                f"{path}: values of {metric!r}, {system}, are missing",
                found=f"{len(missing):,} of {len(wanted):,} samples of {split.dataset} {split.name}:"
                f" {listed(missing)}",
                remedy="give a row for each; one without a value says why in a column `why`",
            )


def _of_kinds(
    declared: Mapping[str, Metric],
    found: Mapping[tuple[Split, str, str], Mapping[str, ItemScore]],
    answered: Mapping[Split, Sequence[Sample]],
) -> tuple[Metric, ...]:
    """Return the metrics that have values, with the kinds of answers that they are of."""
    kinds: dict[str, Counter[Any]] = {}
    for (split, metric, _), records in found.items():
        of = [TASKS[sample.task].answer for sample in answered[split] if sample.id in records]
        kinds.setdefault(metric, Counter()).update(of)
    return tuple(replace(declared[name], kinds=tuple(counted)) for name, counted in kinds.items())


def _text(row: Mapping[str, Any], *names: str) -> str:
    found = next((row[name] for name in names if row.get(name) is not None), "")
    return str(found).strip()
