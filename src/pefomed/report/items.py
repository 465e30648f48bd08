"""The items a reader can browse: each sample with its answers and verdicts, each image embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.evaluate.exact_match import METRICS
from pefomed.evaluate.groups import values_of
from pefomed.evaluate.run import TEMPLATED
from pefomed.recipe import Recipe
from pefomed.report.figures import metric_title
from pefomed.report.run import Answered
from pefomed.report.thumbnails import Thumbnail, thumbnails
from pefomed.schema import Prediction, Sample

FILTER_VALUES = 40
"""A meta key with more values than this is shown with its item but offers no filter."""


def browser_data(answered: Sequence[Answered], recipe: Recipe | None) -> dict[str, Any]:
    """Return what the page's item browser reads, as plain JSON values.

    Keys: `metrics` (titles of the verdicts), `datasets`, `filters` (meta key -> values, sorted),
    `images` (name, JPEG data URI or empty, problem), `items` (in the order of the samples).
    """
    paths = [path for split in answered for sample in split.samples for path in sample.images]
    images = thumbnails(paths)
    places = {path: place for place, path in enumerate(images)}
    items = [
        {
            "dataset": number,
            **_item(sample, places),
            "prediction": _answer(sample, split.predictions.get(sample.id), judged),
            "blind": _answer(sample, split.blind.get(sample.id), judged),
        }
        for number, split in enumerate(answered)
        for judged in [_judged_tasks(split.dataset, recipe)]
        for sample in split.samples
    ]
    return {
        "metrics": [metric_title(metric) for metric in METRICS],
        "datasets": [f"{split.dataset} {split.split}".strip() for split in answered],
        "filters": _filters(items),
        "images": [_image(thumbnail) for thumbnail in images.values()],
        "items": items,
    }


def _judged_tasks(dataset: str, recipe: Recipe | None) -> frozenset[str]:
    """Return the tasks whose answers are right or wrong as a whole; a report in free words is neither."""
    table = recipe.data.get(dataset) if recipe else None
    if table and table.loader in TEMPLATED:
        return frozenset({"vqa", "caption", "report"})
    return frozenset({"vqa"})


def _item(sample: Sample, places: dict[str, int]) -> dict[str, Any]:
    return {
        "id": sample.id,
        "task": sample.task,
        "images": [places[path] for path in sample.images],
        "question": sample.question,
        "reference": sample.reference,
        "boxes": [[box.x0, box.y0, box.x1, box.y1] for box in sample.boxes],
        "meta": {key: list(values_of(key, text)) for key, text in sample.meta.items() if text},
    }


def _answer(sample: Sample, prediction: Prediction | None, judged: frozenset[str]) -> dict[str, Any] | None:
    if prediction is None:
        return None
    verdicts = [int(metric(sample.reference, prediction.text)) for metric in METRICS.values()]
    return {
        "text": prediction.text,
        "cut": prediction.finish == "length",
        "verdicts": verdicts if sample.task in judged else None,
    }


def _filters(items: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    values: dict[str, set[str]] = {}
    for item in items:
        for key, found in item["meta"].items():
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
