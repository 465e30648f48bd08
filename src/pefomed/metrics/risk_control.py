"""How sure an answer must be so that answered questions are wrong at most as often as was asked for.

Pictures i = 1 .. n were not trained on. With threshold t, A_i(t) of a picture's questions are answered (those
at least as sure as t) and W_i(t) <= A_i(t) of these wrongly; no picture has more than m questions. Chosen is
the least t among the confidences with

    (W + m) / (A + m) <= level        W, A: sums over the n pictures

as if one more picture had m questions, all of them answered and wrong. This is conformal risk control
(Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024, arXiv:2208.02814) with the picture as what is
exchanged and its number of wrong answers, which only falls as t rises, as the loss. What it promises: let
t* be the least threshold with W / A <= level of the n pictures and a new one together. If the n + 1
pictures could as well have come in any other order, then, in the mean over them,

    wrong answers about the new picture  <=  level * its questions that t* would answer.

For t meets the condition of t*, whatever the new picture is, so that t* <= t and W_new(t) <= W_new(t*); and
t* does not know which picture is the new one, so that the mean of W_new(t*) - level * A_new(t*) is that
over all n + 1, which is 0 or less. t answers a few questions less than t*: those that the added picture
costs. It is a mean over validation sets, not of each one; and it holds of questions as they come in the
mean, not of each kind of question.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Controlled(NamedTuple):
    """A threshold, and what it does to the answers it was chosen on."""

    threshold: float | None
    """Least confidence that is answered; None where no threshold keeps the level."""
    answered: int
    wrong: int
    """Wrong ones of the answered."""
    most_questions: int
    """m: questions of a picture at most."""
    least_level: float
    """The least level that any threshold would keep."""


def control(
    confidence: NDArray[np.float64],
    wrong: NDArray[np.float64],
    pictures: NDArray[np.int64],
    level: float,
    questions: int | None = None,
) -> Controlled:
    """Return the threshold; see the module.

    Args:
        confidence: of each answer, shape (N,); -inf of one that is never given.
        wrong: 1 or 0, shape (N,).
        pictures: number of each answer's picture, shape (N,).
        level: share of wrong ones among the answered that is allowed, in (0, 1).
        questions: m, if it is known; by default the most questions any of these pictures has.
    """
    most = int(np.unique(pictures, return_counts=True)[1].max()) if questions is None else questions
    order = np.argsort(-confidence, kind="stable")[: int(np.isfinite(confidence).sum())]
    ranked = confidence[order]
    # Answers of one confidence are answered together or not at all.
    ends = np.flatnonzero(np.diff(ranked, append=np.nan) != 0)
    answered, mistaken = ends + 1, np.cumsum(wrong[order])[ends]
    shares = (mistaken + most) / (answered + most)
    least = float(shares.min(initial=1.0))
    kept = np.flatnonzero(shares <= level)
    if not len(kept):
        return Controlled(None, 0, 0, most, least)
    at = int(kept[-1])
    return Controlled(float(ranked[ends[at]]), int(answered[at]), int(mistaken[at]), most, least)
