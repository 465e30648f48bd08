"""Left and right: on which side of the image a phrase's boxes lie, and how often an answer mistakes it.

A box lies left or right if its centre is more than `MARGIN` of the image's width away from the vertical
midline, else in the middle. Of several boxes, left and right together are `both`; those in the middle
say nothing beside one that has a side. A mistake is left for right, or right for left. Left is the
left of the image as it is shown, mostly the patient's right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pefomed.evaluate.interval import mean_interval
from pefomed.evaluate.phrase_place import side_of as side_in_words
from pefomed.evaluate.score import numbered
from pefomed.report.figures import Cell, system_label
from pefomed.report.located import Located, Phrase
from pefomed.report.sheet import Column, Line, Sheet
from pefomed.schema import Box

MARGIN = 0.05

SIDES = ("left", "middle", "right", "both")
NOWHERE = "no box"

DEFINITION = (
    f"A box is left or right if its centre is more than {MARGIN:.0%} of the image's width from the midline,"
    " else in the middle; left is the image's left as shown, mostly the patient's right"
).replace("%", " %")


def side_of(boxes: Sequence[Box]) -> str:
    """Return one of `SIDES`, or `NOWHERE` without boxes."""
    if not boxes:
        return NOWHERE
    # Rounded: a centre exactly at the margin is in the middle on either side, whatever its last digit.
    offsets = [round((box.x0 + box.x1) / 2 - 0.5, 9) for box in boxes]
    left, right = any(offset < -MARGIN for offset in offsets), any(offset > MARGIN for offset in offsets)
    if left and right:
        return "both"
    return "left" if left else "right" if right else "middle"


def is_mistaken(phrase: Phrase) -> bool:
    """Return whether left was answered for right, or right for left."""
    return {side_of(phrase.boxes), side_of(phrase.given)} == {"left", "right"}


def confusion(name: str, title: str, phrases: Sequence[Phrase]) -> Sheet:
    """Return how often boxes on each side were answered on each side: a line per side of the reference."""
    counts = Counter((side_of(phrase.boxes), side_of(phrase.given)) for phrase in phrases)
    given = [side for side in (*SIDES, NOWHERE) if side in SIDES[::2] or any(s == side for _, s in counts)]
    asked = [side for side in SIDES if side in SIDES[::2] or any(s == side for s, _ in counts)]
    columns = tuple(Column(f"answer {side}", side, "Answered boxes") for side in given)
    lines = [
        Line((side,), tuple(_count(counts[side, answer], side, answer) for answer in given)) for side in asked
    ]
    return Sheet(name, title, ("reference_boxes",), columns, lines, [DEFINITION])


def mistakes(name: str, title: str, answers: Mapping[str, Sequence[Located]]) -> Sheet | None:
    """Return the share of left/right mistakes, a line per system; None where no phrase has one side.

    Args:
        answers: system -> its answers. Counted are phrases whose boxes lie on one side; in a column of
            their own those whose words say left or right.
    """
    lines = []
    for system, located in answers.items():
        sided = [
            (one, phrase)
            for one in located
            for phrase in one.phrases
            if side_of(phrase.boxes) in ("left", "right")
        ]
        named = [pair for pair in sided if side_in_words(pair[1].text) in ("left", "right")]
        if sided:
            lines.append(Line((system_label(system),), (_share(sided), _share(named)), system))
    columns = (
        Column("mistakes", "boxes on one side"),
        Column("mistakes where the phrase says it", "phrase says left or right"),
    )
    notes = ["Share of phrases answered on the other side; an answer without a box is no such mistake"]
    return Sheet(name, title, ("system",), columns, lines, [*notes, DEFINITION]) if lines else None


def _share(pairs: Sequence[tuple[Located, Phrase]]) -> Cell | None:
    if not pairs:
        return None
    values = np.array([is_mistaken(phrase) for _, phrase in pairs], dtype=np.float64)
    found = mean_interval(values, numbered([located.images for located, _ in pairs]))
    value, n = float(values.mean()), len(values)
    low, high = (found.low, found.high) if found else (None, None)
    interval = f"{100 * low:.1f}–{100 * high:.1f}" if low is not None and high is not None else ""  # noqa: RUF001
    proof = f"{int(values.sum()):,} of {n:,} phrases; {found.how if found else 'no interval'}"
    return Cell(f"{100 * value:.1f}", interval, n, proof, value, low, high)


def _count(count: int, side: str, answer: str) -> Cell:
    return Cell(f"{count:,}", "", 0, f"{count:,} phrases: reference {side}, answer {answer}", count)
