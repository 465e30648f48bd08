"""Boxes that somebody else's model gave, as the text of an answer: their numbers themselves, in no steps.

    [[0.25, 0.1, 0.5, 0.4], [0.5, 0.5, 1.0, 1.0]]

x0, y0, x1, y1 of each as fractions of the original image; `[]` is the answer that there is no box.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pefomed.boxes.reading import BoxReading
from pefomed.errors import RecordError
from pefomed.schema import Box


def plain_text(boxes: Sequence[Box]) -> str:
    """Return boxes as the text of an answer, every digit kept."""
    return json.dumps([[box.x0, box.y0, box.x1, box.y1] for box in boxes])


def read_plain(text: str) -> BoxReading | None:
    """Return the boxes of a text that `plain_text` wrote; None for any other text."""
    if not text.startswith("["):
        return None
    try:
        numbers = json.loads(text)
        boxes = tuple(Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in numbers)
    except (ValueError, TypeError, RecursionError, RecordError):
        return None
    return BoxReading(boxes, (), "strict")
