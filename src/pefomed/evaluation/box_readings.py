"""What each answer says about boxes, as records of single answers: written by evaluation, read by the report.

Two metrics are of the reading itself. `unparsable_rate` keeps, in `read`, the boxes of the whole answer as
JSON: `[x0, y0, x1, y1]` in shares of the image's width and height, and the phrase that a box is marked with
behind them; `null` is a box in the padding around the image, `[]` the answer that there is none. A text that
says neither has no text there. `repaired_rate` keeps what was repaired.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pefomed.boxes import BoxReading, Writing
from pefomed.boxes.reading import State
from pefomed.errors import DataError, RecordError
from pefomed.schema import Box, ItemScore, Sample
from pefomed.tasks import MARKED

UNPARSABLE, REPAIRED = "unparsable_rate", "repaired_rate"

_BETWEEN = "; "


@dataclass(frozen=True)
class AnswerReading:
    """What was read from one answer."""

    state: State
    repairs: tuple[str, ...]
    boxes: tuple[tuple[str, Box], ...]
    """Every box of the answer that lies in the image, with the phrase it is marked with, if any."""
    says_none: bool
    """Whether the answer is that there is no box."""


def reading_items(
    samples: Sequence[Sample], readings: Sequence[BoxReading], writing: Writing, system: str
) -> list[ItemScore]:
    """Return the records of both metrics, for each answer.

    Raises:
        DataError: images are letterboxed, and a sample does not say how large its image is.
    """
    records = []
    for sample, reading in zip(samples, readings, strict=True):
        for metric, state, read in (
            (UNPARSABLE, "unparsable", _boxes_text(sample, reading, writing)),
            (REPAIRED, "repaired", _BETWEEN.join(reading.repairs)),
        ):
            value = float(reading.state == state)
            records.append(
                ItemScore(sample_id=sample.id, system=system, metric=metric, value=value, read=read)
            )
    return records


def answer_reading(unparsable: float, repaired: float, boxes: str, repairs: str, of: str) -> AnswerReading:
    """Return what was read from an answer, of the values and texts of its records.

    Args:
        of: the sample's id, for errors.

    Raises:
        DataError: a text is not as `reading_items` writes it.
    """
    state: State = "strict"
    if unparsable == 1.0:
        state = "unparsable"
    elif not boxes:
        state = "empty"
    elif repaired == 1.0:
        state = "repaired"
    return AnswerReading(
        state=state,
        repairs=tuple(repairs.split(_BETWEEN)) if repairs else (),
        boxes=_boxes_of(boxes, of),
        says_none=boxes == "[]",
    )


def _boxes_text(sample: Sample, reading: BoxReading, writing: Writing) -> str:
    if not reading.boxes:
        return "[]" if reading.says_none else ""
    frame = writing.resizing.frame(sample.size)
    marked = reading.phrases if sample.task in MARKED else ()
    names = {box: phrase for phrase, boxes in marked for box in boxes}
    return json.dumps([_entry(frame.to_image(box), names.get(box, "")) for box in reading.boxes])


def _entry(box: Box | None, phrase: str) -> list[float | str] | None:
    return None if box is None else [box.x0, box.y0, box.x1, box.y1, *([phrase] if phrase else [])]


def _boxes_of(text: str, of: str) -> tuple[tuple[str, Box], ...]:
    try:
        entries = [entry for entry in json.loads(text or "[]") if entry is not None]
        return tuple(
            (str(phrase[0]) if phrase else "", Box(x0=x0, y0=y0, x1=x1, y1=y1))
            for x0, y0, x1, y1, *phrase in entries
        )
    except (ValueError, TypeError, RecursionError, RecordError):
        raise DataError(
            f"the values of the answer to {of} are damaged",
            found=f"boxes: {text[:80]}",
            remedy="run `pefomed evaluate` again",
        ) from None
