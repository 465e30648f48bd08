"""Whether two answers say the same, and of which of five kinds a question is by how it is answered otherwise.

Two answers are the same if both begin with a yes, or both with a no, where the reference is one of these;
else if they are equal after the VQA challenge's normalisation (`normalise`).

Of a question that is answered about its own picture, `looks` says that the answer is another one with some
other picture (another image, or the mean image), and `steady` that it is the same to the question in other
words:

    unsteady               not steady, right or wrong
    right for the picture  steady, looks, right
    right by habit         steady, does not look, right
    steady but blind       steady, does not look, wrong
    wrong though it looks  steady, looks, wrong

Each question is of one kind, so that the shares add up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.closed import closed_reading
from pefomed.metrics.normalise import plain, vqa_style
from pefomed.metrics.writing import cleaned

KINDS = ("right_for_picture", "right_by_habit", "steady_blind", "wrong_looking", "unsteady")


def same_answer(reference: str, one: str, other: str) -> bool:
    """Return whether two answers to a question with this reference say the same."""
    first, second = (closed_reading(reference, cleaned(text)) for text in (one, other))
    if {first, second} <= {"yes", "no"}:
        return first == second
    return _read(one) == _read(other)


def kinds_of(
    right: NDArray[np.float64], looks: NDArray[np.float64], steady: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return 1 or 0 for each kind, (N,); NaN of a question of which one of the three is not known.

    Args:
        right, looks, steady: 1, 0 or NaN of each question, (N,).
    """
    known = ~np.isnan(right + looks + steady)
    is_right, looked, is_steady = (values == 1 for values in (right, looks, steady))
    marks = (
        is_steady & looked & is_right,
        is_steady & ~looked & is_right,
        is_steady & ~looked & ~is_right,
        is_steady & looked & ~is_right,
        ~is_steady,
    )
    return {name: np.where(known, mark, np.nan) for name, mark in zip(KINDS, marks, strict=True)}


def any_of(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return 1 where some column, (N,), is 1, 0 where those that are known are 0, NaN where none is known."""
    stacked = np.stack(columns)  # (K, N)
    known = ~np.isnan(stacked)
    return np.where(known.any(0), np.where(known, stacked, 0.0).max(0), np.nan)


def _read(text: str) -> str:
    return vqa_style(cleaned(text)) or plain(text)
