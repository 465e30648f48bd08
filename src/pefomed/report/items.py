"""The items a reader can browse: each sample with its answers and verdicts, each image embedded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.evaluate.exact_match import METRICS
from pefomed.evaluate.groups import values_of
from pefomed.evaluate.run import TEMPLATED
from pefomed.recipe import Recipe
from pefomed.report.figures import metric_title
from pefomed.report.labels import ItemLabel, marks_of
from pefomed.report.run import Answered
from pefomed.report.thumbnails import Thumbnail, thumbnails
from pefomed.schema import Prediction, Sample

FILTER_VALUES = 40
"""A meta key with more values than this is shown with its item but offers no filter."""

SEGMENTS = {
    "all": ("All", ""),
    "right": ("Right", ""),
    "wrong": ("Wrong", ""),
    "gained": ("Image helped", "Right with the image, wrong without it"),
    "lost": ("Image misled", "Wrong with the image, right without it"),
}
"""Filters by verdict: name, then its button's text and what it says on pointing at it."""

Labels = Mapping[str, Sequence[ItemLabel]]
"""Sample id -> what judges and human raters said."""

_NONE: Labels = {}


def browser_data(
    answered: Sequence[Answered], recipe: Recipe | None, labels: Labels = _NONE
) -> dict[str, Any]:
    """Return what the page's item browser reads, as plain JSON values.

    Keys: `names` (of the answers an item can have), `segments`, `metrics` (titles of the verdicts),
    `datasets`, `filters` (key -> values, sorted), `images` (name, JPEG data URI or empty, problem),
    `items` (in the order of the samples).
    """
    judges = list(dict.fromkeys(one.title for several in labels.values() for one in several if one.binary))
    items = []
    for number, split in enumerate(answered):
        judged = judged_tasks(split.dataset, recipe)
        for sample in split.samples:
            said = labels.get(sample.id, ())
            prediction = split.predictions.get(sample.id)
            verdicts = verdicts_of(sample, prediction, judged)
            others = _joint(said, judges)
            answers = {"model": _answer(prediction, verdicts, others)}
            if split.blind:
                blind = split.blind.get(sample.id)
                answers["blind"] = _answer(blind, verdicts_of(sample, blind, judged), [None] * len(judges))
            exact = verdicts[0] if verdicts and sample.task == "vqa" else None
            items.append(
                {
                    "dataset": number,
                    **item_of(sample),
                    "answers": answers,
                    "labels": [_label(one) for one in said],
                    "marks": marks_of(said, exact),
                }
            )
    names = {"model": "Model", "blind": "Blind"}
    if not any("blind" in item["answers"] for item in items):
        del names["blind"]
    titles = [metric_title(metric) for metric in METRICS] + judges
    return assembled(items, names, SEGMENTS, titles, [f"{s.dataset} {s.split}".strip() for s in answered])


def assembled(
    items: Sequence[dict[str, Any]],
    names: Mapping[str, str],
    segments: Mapping[str, tuple[str, str]],
    metrics: Sequence[str],
    datasets: Sequence[str],
) -> dict[str, Any]:
    """Return the browser's data: the items with their images embedded, and what they can be filtered by."""
    images = thumbnails(path for item in items for path in item["images"])
    places = {path: place for place, path in enumerate(images)}
    return {
        "names": names,
        "segments": segments if len(names) > 1 else dict(list(segments.items())[:3]),
        "metrics": list(metrics),
        "datasets": list(datasets),
        "filters": _filters(items),
        "images": [_image(thumbnail) for thumbnail in images.values()],
        "items": [item | {"images": [places[path] for path in item["images"]]} for item in items],
    }


def judged_tasks(dataset: str, recipe: Recipe | None) -> frozenset[str]:
    """Return the tasks whose answers are right or wrong as a whole; a report in free words is neither."""
    table = recipe.data.get(dataset) if recipe else None
    if table and table.loader in TEMPLATED:
        return frozenset({"vqa", "caption", "report"})
    return frozenset({"vqa"})


def item_of(sample: Sample) -> dict[str, Any]:
    """Return what the browser shows of a sample itself; its images are still paths."""
    return {
        "id": sample.id,
        "task": sample.task,
        "images": list(sample.images),
        "question": sample.question,
        "reference": sample.reference,
        "boxes": [[box.x0, box.y0, box.x1, box.y1] for box in sample.boxes],
        "meta": {key: list(values_of(key, text)) for key, text in sample.meta.items() if text},
    }


def verdicts_of(sample: Sample, prediction: Prediction | None, judged: frozenset[str]) -> list[int] | None:
    """Return what each exact match says of an answer, None where it says nothing."""
    if prediction is None or sample.task not in judged:
        return None
    return [int(metric(sample.reference, prediction.text)) for metric in METRICS.values()]


def _joint(said: Sequence[ItemLabel], judges: Sequence[str]) -> list[int | None]:
    joint = {one.title: one.joint for one in said if one.binary}
    return [joint.get(title) for title in judges]


def _answer(
    prediction: Prediction | None, exact: list[int] | None, others: Sequence[int | None]
) -> dict[str, Any] | None:
    if prediction is None:
        return None
    nobody: list[int | None] = [None] * len(METRICS)
    verdicts = [*(exact or nobody), *others]
    return {
        "text": prediction.text,
        "cut": prediction.finish == "length",
        "verdicts": verdicts if any(verdict is not None for verdict in verdicts) else None,
    }


def _label(one: ItemLabel) -> dict[str, Any]:
    return {
        "title": one.title,
        "text": one.text,
        "verdict": one.joint if one.binary else None,
        "level": None if one.binary else one.joint,
        "reason": one.reason,
    }


def _filters(items: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    values: dict[str, set[str]] = {}
    # What the data set says of an item first, then what judges and raters said of its answer.
    for kind in ("meta", "marks"):
        for item in items:
            for key, found in item[kind].items():
                values.setdefault(key, set()).update(found)
    tasks = {item["task"] for item in items}
    filters = {key: sorted(found) for key, found in values.items() if 1 < len(found) <= FILTER_VALUES}
    return filters | ({"task": sorted(tasks)} if len(tasks) > 1 else {})


def _image(thumbnail: Thumbnail) -> dict[str, Any]:
    return {
        "name": thumbnail.name,
        "uri": thumbnail.uri,
        "problem": thumbnail.problem,
        "ratio": thumbnail.ratio,
    }
