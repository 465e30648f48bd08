"""The items a reader can browse: each sample with its answers and verdicts, each image embedded once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pefomed.boxes.samples import NONE as NO_BOX
from pefomed.evaluation.groups import ANY_BOX, values_of
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.metrics.lookup import metrics_of
from pefomed.metrics.references import shown
from pefomed.report import item_boxes
from pefomed.report.box_answers import BoxAnswer
from pefomed.report.correctness import Correctness, JudgedTasks, correctness, judged_in
from pefomed.report.figures import shown_value
from pefomed.report.labels import ItemLabel, marks_of
from pefomed.report.run import ReportedSplit
from pefomed.report.thumbnails import BUDGET, Thumbnail, left_out, thumbnails
from pefomed.samples.no_image import has_no_image
from pefomed.schema import Prediction, Sample
from pefomed.tasks import BINARY, WITH_BOXES

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

ItemLabels = Mapping[str, Sequence[ItemLabel]]
"""Sample id -> what judges and human raters said."""

_NONE: ItemLabels = {}


def browser_data(
    answered: Sequence[ReportedSplit],
    boxes: Sequence[Mapping[str, Mapping[str, BoxAnswer]]],
    labels: ItemLabels = _NONE,
    gate: PictureGate | None = None,
) -> dict[str, Any]:
    """Return what the page's item browser reads, as plain JSON values.

    Args:
        boxes: what the answers of each of `answered` say about boxes.
        gate: which pictures are embedded; without it they are named alone.

    Keys: `names` (of the answers an item can have), `segments`, `metrics` (titles of the verdicts),
    `datasets`, `filters` (key -> values, sorted), `images` (name, JPEG data URI or empty, problem),
    `left_out` (sentences about pictures that may not be shown), `items` (in the order of the samples).
    """
    judges = list(
        dict.fromkeys(label.title for several in labels.values() for label in several if label.binary)
    )
    right = correctness(answered)
    items = []
    for number, (split, box_answers) in enumerate(zip(answered, boxes, strict=True)):
        judged = judged_in(split)
        given = {"model": split.predictions, **({"blind": split.blind} if split.blind else {})}
        for sample in split.samples:
            said = labels.get(sample.id, ())
            nobody: list[int | None] = [None] * len(judges)
            answers = {
                name: answer_of(
                    right,
                    sample,
                    predictions.get(sample.id),
                    judged,
                    box_answers.get(name, {}).get(sample.id),
                    _joint(said, judges) if name == "model" else nobody,
                    value_of=partial(split.values.value, sample_id=sample.id, system=name),
                )
                for name, predictions in given.items()
            }
            exact = (answers["model"] or {}).get("verdicts") if sample.task in BINARY else None
            marks = marks_of(said, exact[0] if exact else None)
            items.append(
                {
                    "dataset": number,
                    **item_of(sample, split.predictions.get(sample.id), gate),
                    "answers": answers,
                    "labels": [_label(label) for label in said],
                    "marks": marks | item_boxes.box_marks(box_answers.get("model", {}).get(sample.id)),
                }
            )
    names = {"model": "Model", "blind": "Blind"}
    if not any("blind" in item["answers"] for item in items):
        del names["blind"]
    titles = right.titles + judges
    datasets = [f"{split.dataset} {split.split}".strip() for split in answered]
    return assembled(items, names, SEGMENTS, titles, datasets, gate)


def assembled(
    items: Sequence[dict[str, Any]],
    names: Mapping[str, str],
    segments: Mapping[str, tuple[str, str]],
    metrics: Sequence[str],
    datasets: Sequence[str],
    gate: PictureGate | None = None,
) -> dict[str, Any]:
    """Return the browser's data: the items with their images embedded, and what they can be filtered by."""
    items = _with_any(items)
    # A picture may be what one item was answered about, and no longer what another was.
    asked = dict.fromkeys(each for item in items for each in item["images"])
    opened = thumbnails((path for path, reason in asked if not reason), BUDGET if gate else 0)
    small = {(path, reason): left_out(path, reason) if reason else opened[path] for path, reason in asked}
    places = {each: place for place, each in enumerate(small)}
    return {
        "names": names,
        "segments": segments if len(names) > 1 else dict(list(segments.items())[:3]),
        "metrics": list(metrics),
        "datasets": list(datasets),
        "filters": _filters(items),
        "images": [_image(thumbnail) for thumbnail in small.values()],
        "left_out": gate.left_out() if gate else [],
        "items": [item | {"images": [places[each] for each in item["images"]]} for item in items],
    }


def item_of(sample: Sample, answer: Prediction | None, gate: PictureGate | None) -> dict[str, Any]:
    """Return what the browser shows of a sample itself.

    Args:
        answer: says what the images held. They are still paths, each with why it may not be shown.
    """
    return {
        "id": sample.id,
        "task": sample.task,
        "images": _pictures(sample, answer.shown if answer else "", gate),
        "question": sample.question,
        "reference": shown(sample.references),
        "boxes": item_boxes.reference_boxes(sample),
        "meta": {key: list(values_of(key, text)) for key, text in sample.meta.items() if text}
        | (item_boxes.meta_of(sample) if sample.task in WITH_BOXES else {}),
    }


def answer_of(
    right: Correctness,
    sample: Sample,
    prediction: Prediction | None,
    judged: JudgedTasks,
    boxes: BoxAnswer | None,
    others: Sequence[int | None] = (),
    *,
    value_of: Callable[[str], float],
) -> dict[str, Any] | None:
    """Return what the browser shows of an answer, None without one.

    Args:
        others: the verdicts of judges, behind those of `right`.
        value_of: what a metric says of the answer; NaN for nothing.
    """
    if prediction is None:
        return None
    own = right.verdicts(sample, prediction, judged, boxes, value_of) or right.nobody
    verdicts = [*own, *others]
    return {
        "text": prediction.text,
        "cut": prediction.finish == "length",
        "verdicts": verdicts if any(verdict is not None for verdict in verdicts) else None,
        **item_boxes.answer_fields(boxes),
        **_own_values(value_of),
    }


def _own_values(value_of: Callable[[str], float]) -> dict[str, Any]:
    """Return what metrics of the user's own say of an answer; nothing where there are none."""
    values = [
        [metric.title, shown_value(metric.name, value) + (" %" if metric.unit == "%" else "")]
        for metric in metrics_of("other")
        if not math.isnan(value := value_of(metric.name))
    ]
    return {"values": values} if values else {}


def _with_any(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items; where some have no box, those that have are in `boxes=any` too, as scores are."""
    kinds = [item["meta"].get("boxes", []) for item in items]
    if not any(NO_BOX in each for each in kinds):
        return list(items)
    key, _, name = ANY_BOX.partition("=")
    return [
        item | {"meta": item["meta"] | {key: [*each, name]}} if set(each) - {NO_BOX} else item
        for item, each in zip(items, kinds, strict=True)
    ]


def _pictures(sample: Sample, shown: str, gate: PictureGate | None) -> list[tuple[str, str]]:
    if gate is None:
        return [(path, "") for path in sample.images]
    if has_no_image(sample):
        return [(path, path) for path in sample.images]  # it says so itself
    return list(zip(sample.images, gate.reasons(sample.images, shown), strict=True))


def _joint(said: Sequence[ItemLabel], judges: Sequence[str]) -> list[int | None]:
    joint = {label.title: label.joint for label in said if label.binary}
    return [joint.get(title) for title in judges]


def _label(label: ItemLabel) -> dict[str, Any]:
    return {
        "title": label.title,
        "text": label.text,
        "verdict": label.joint if label.binary else None,
        "level": None if label.binary else label.joint,
        "reason": label.reason,
    }


def _filters(items: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    values: dict[str, set[str]] = {}
    # What the data set says of an item first, then what judges and raters said of its answer.
    for kind in ("meta", "marks"):
        for item in items:
            for key, texts in item[kind].items():
                values.setdefault(key, set()).update(texts)
    tasks = {item["task"] for item in items}
    filters = {key: sorted(texts) for key, texts in values.items() if 1 < len(texts) <= FILTER_VALUES}
    return filters | ({"task": sorted(tasks)} if len(tasks) > 1 else {})


def _image(thumbnail: Thumbnail) -> dict[str, Any]:
    return {
        "name": thumbnail.name,
        "uri": thumbnail.uri,
        "problem": thumbnail.problem,
        "ratio": thumbnail.ratio,
    }
