"""Phrases that are nowhere in the image: when an answer to one is right, and how often it is.

A phrase without a box is answered rightly if the answer is that there is none: every metric of it is 1 then,
else 0. So GRES has it for the IoU (Liu, Ding, Jiang, CVPR 2023, arXiv:2306.00968) and GREC for F1 (He et al.,
2023, arXiv:2308.16182). Text that says neither boxes nor that there is none is no such answer. From the same
papers, of the phrases with (T) and without a box (N):

    n_acc = share of N answered by no box         t_acc = share of T answered by a box, right or wrong
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.boxes import PlacedBoxes
from pefomed.schema import Box

N_ACC, T_ACC = "n_acc", "t_acc"


def says_none(answer: PlacedBoxes) -> bool:
    """Return whether an answer is that there is no box."""
    return answer.readable and not answer.boxes and not answer.outside


def no_target_values(
    references: Sequence[Sequence[Box]], answers: Sequence[PlacedBoxes]
) -> dict[str, NDArray[np.float64]]:
    """Return both metrics of each phrase, NaN of those they are not of; none where every phrase has a box."""
    present = np.array([bool(boxes) for boxes in references])
    if present.all():
        return {}
    right = [
        float(bool(answer.boxes or answer.outside) if boxes else says_none(answer))
        for boxes, answer in zip(references, answers, strict=True)
    ]
    return {N_ACC: np.where(present, np.nan, right), T_ACC: np.where(present, right, np.nan)}
