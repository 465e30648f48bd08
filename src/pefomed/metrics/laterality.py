"""Left and right: on which side of the image a phrase's boxes lie, and whether an answer mistakes it.

A box lies left or right if its centre is more than `MARGIN` of the image's width away from the vertical
midline, else in the middle. Of several boxes, left and right together are `both`; those in the middle
say nothing beside one that has a side. A mistake is left for right, or right for left; an answer without
a box is none. Left is the left of the image as it is shown, mostly the patient's right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.phrase_place import phrase_side
from pefomed.schema import Box

MARGIN = 0.05

SIDES = ("left", "middle", "right", "both")
NOWHERE = "no box"

MISTAKES, NAMED = "side_mistake_rate", "side_mistake_rate_named"

RULE = (
    f"a box is left or right if its centre is more than {MARGIN:.0%} of the image's width from the midline,"
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


def is_mistaken(reference: Sequence[Box], given: Sequence[Box]) -> bool:
    """Return whether left was answered for right, or right for left."""
    return {side_of(reference), side_of(given)} == {"left", "right"}


def laterality_values(
    phrases: Sequence[str], references: Sequence[Sequence[Box]], answers: Sequence[Sequence[Box]]
) -> dict[str, NDArray[np.float64]]:
    """Return 1 for each phrase whose side is mistaken, 0 for others, NaN of those not on one side.

    Args:
        phrases: what was asked for, in words.
        references: each phrase's boxes.
        answers: the boxes given to each phrase.
    """
    sided = np.array([side_of(boxes) in ("left", "right") for boxes in references])
    named = sided & np.array([phrase_side(phrase) in ("left", "right") for phrase in phrases])
    mistaken = [float(is_mistaken(*pair)) for pair in zip(references, answers, strict=True)]
    return {MISTAKES: np.where(sided, mistaken, np.nan), NAMED: np.where(named, mistaken, np.nan)}
