"""Left and right: on which side of the image a phrase's boxes lie, and how often an answer mistakes it.

A box lies left or right if its centre is more than `MARGIN` of the image's width away from the vertical
midline, else in the middle. Of several boxes, left and right together are `both`; those in the middle
say nothing beside one that has a side. A mistake is left for right, or right for left; an answer without
a box is none. Left is the left of the image as it is shown, mostly the patient's right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.evaluate.interval import bootstrap
from pefomed.evaluate.phrase_place import side_of as side_in_words
from pefomed.evaluate.score import Questions, made_score
from pefomed.schema import Box, Score

MARGIN = 0.05

SIDES = ("left", "middle", "right", "both")
NOWHERE = "no box"

MISTAKES, NAMED = "side_mistake_rate", "side_mistake_rate_named"

DEFINITIONS = {
    MISTAKES: "share of phrases with boxes on one side that are answered on the other",
    NAMED: "the same of phrases whose words say left or right",
}
"""Every metric of sides, and what it is a share of."""

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


def score_sides(
    questions: Questions,
    references: Sequence[Sequence[Box]],
    answers: Sequence[Sequence[Box]],
    system: str,
    how: str = "",
) -> list[Score]:
    """Return the rates of left/right mistakes for every group that has phrases on one side.

    Args:
        questions: the phrases (as its references), their groups and images.
        references: each phrase's boxes.
        answers: the boxes given to each phrase.
        how: how the answers came about.
    """
    sided = np.array([side_of(boxes) in ("left", "right") for boxes in references])
    named = sided & np.array([side_in_words(phrase) in ("left", "right") for phrase in questions.references])
    pairs = zip(references, answers, strict=True)
    values = np.array([is_mistaken(*pair) for pair in pairs], dtype=np.float64)
    scores = []
    for metric, counted in ((MISTAKES, sided), (NAMED, named)):
        implementation = f"pefomed {__version__}, {metric}: {DEFINITIONS[metric]}; {RULE}"
        implementation += f"; {how}" if how else ""
        for group, places in questions.groups.items():
            chosen = places[counted[places]]
            if len(chosen):
                scores.append(_score(questions, metric, system, group, values, chosen, implementation))
    return scores


def _score(
    questions: Questions,
    metric: str,
    system: str,
    group: str,
    values: NDArray[np.float64],
    places: NDArray[np.int64],
    implementation: str,
) -> Score:
    interval = bootstrap(
        values[places],
        questions.clusters[places],
        draws=questions.draws,
        seed=questions.seed,
        by=questions.by,
    )
    mean = float(values[places].mean())
    return made_score(questions, metric, system, group, mean, interval, len(places), implementation)
